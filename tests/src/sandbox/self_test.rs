//! Tests the confinement from inside before any program is judged.
//!
//! The self-test runs in a program's place, is started in the same way, and tries everything that a
//! program must not be able to do. A protection counts as verified only where the attempt failed,
//! or where the harness saw its effect from outside.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::probe::{ATTEMPTS, Findings, TIME};
use super::process::Process;
use super::spec::{Jail, JailedCommand, Protection, Stdin, Targets};
use super::{users, wire};

/// Runs the self-test in this jail.
pub(super) fn run(
    mut jail: Jail,
    launcher: &Path,
    scratch: &Path,
    private: &[PathBuf],
) -> io::Result<Vec<Protection>> {
    let outside = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let (port, harness) = (outside.local_addr()?.port(), std::process::id() as i32);
    let secret = scratch.join("secret");
    std::fs::write(&secret, "secret")?;
    jail.reach.execute = Some(Vec::new()); // as a compiled program, which needs no commands
    let secrets = [secret].into_iter().chain(private.iter().filter_map(|place| file_in(place)));
    let (another_user, secrets) = (users::are_others(), secrets.collect());
    jail.self_test = Some(Targets { port, another_user, harness, secrets });

    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(scratch)?;
    let has_group = jail.group.is_some();
    let launch = JailedCommand { command: Vec::new(), stdin: Stdin::default(), jail };
    let mut process = Process::start(launcher, folder.path(), &launch)?;
    let deadline = Instant::now() + TIME;
    while process.over().is_none()
        && process.ended(Duration::from_millis(20))?.is_none()
        && Instant::now() < deadline
    {}
    process.end()?;
    Ok(protections(&process, has_group))
}

/// Returns a file in a private folder, or in one of its first folders.
fn file_in(folder: &Path) -> Option<PathBuf> {
    const MOST: usize = 50; // folders that are looked into
    let mut folders = vec![folder.to_owned()];
    for _ in 0..MOST {
        for entry in std::fs::read_dir(folders.pop()?).into_iter().flatten().flatten() {
            match entry.file_type().ok()? {
                kind if kind.is_file() => return Some(entry.path()),
                kind if kind.is_dir() => folders.push(entry.path()),
                _ => {}
            }
        }
    }
    None
}

fn protections(process: &Process, has_group: bool) -> Vec<Protection> {
    let findings: Option<Findings> = wire::unframe(&mut process.stdout.all()).ok().flatten();
    let not_tried =
        || vec![Some("the self-test ended before it tried this".to_owned()); ATTEMPTS.len()];
    let survived = !process.stdout.has_ended();
    let unlimited = process.over().is_none();
    let outside = [
        survived.then(|| "a hidden process has survived".to_owned()),
        unlimited.then(|| "a process used more memory than allowed and was not ended".to_owned()),
    ];
    let memory = match has_group {
        true => "a limit on memory, kept by a control group",
        false => "a limit on memory, watched",
    };
    let names = ATTEMPTS.iter().map(|(name, _)| *name);
    names
        .chain(["a certain end", memory])
        .zip(findings.unwrap_or_else(not_tried).into_iter().chain(outside))
        .map(|(name, missing)| Protection { name, missing })
        .collect()
}
