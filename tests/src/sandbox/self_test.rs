//! The self-test: what a program could do, tried from inside, before any program is judged.
//!
//! It runs where a program would run, started in the same way, and tries each thing that it must
//! not be able to do. A protection counts as in force only where the attempt failed, seen from
//! inside, or where its end was seen from outside.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use super::probe::{ATTEMPTS, Findings, MEMORY, TIME};
use super::process::Process;
use super::spec::{Jail, Launch, Protection, Stdin, Targets};
use super::wire;

/// Runs the self-test in this jail.
pub(super) fn run(mut jail: Jail, launcher: &Path, scratch: &Path) -> io::Result<Vec<Protection>> {
    let outside = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let (port, harness) = (outside.local_addr()?.port(), std::process::id() as i32);
    let secret = scratch.join("secret");
    std::fs::write(&secret, "nobody's business")?;
    jail.reach.limits.memory = MEMORY;
    jail.self_test = Some(Targets { port, harness, secret });

    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(scratch)?;
    let launch = Launch { command: Vec::new(), stdin: Stdin::default(), jail };
    let mut process = Process::start(launcher, folder.path(), &launch)?;
    let deadline = Instant::now() + TIME;
    while process.over().is_none()
        && process.ended(Duration::from_millis(20))?.is_none()
        && Instant::now() < deadline
    {}
    process.end()?;
    Ok(protections(&process))
}

fn protections(process: &Process) -> Vec<Protection> {
    let findings: Option<Findings> = wire::unframe(&mut process.stdout.all()).ok().flatten();
    let not_tried =
        || vec![Some("the self-test did not come to try it".to_owned()); ATTEMPTS.len()];
    let survived = !process.stdout.has_ended();
    let unlimited = process.over().is_none();
    let watched = [
        ("a certain end", survived.then_some("a process that hid has survived")),
        (
            "a limit on memory, watched",
            unlimited.then_some("more memory than allowed was used, and nothing happened"),
        ),
    ];
    let inside = ATTEMPTS.iter().map(|(name, _)| *name).zip(findings.unwrap_or_else(not_tried));
    inside
        .chain(watched.map(|(name, missing)| (name, missing.map(str::to_owned))))
        .map(|(name, missing)| Protection { name: name.to_owned(), missing })
        .collect()
}
