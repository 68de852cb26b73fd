//! What an attack hands in.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;

use super::table::Attack;
use super::targets::Targets;
use crate::rubric::Rubric;

/// A Python server that makes the attack first and then answers with its result.
const SERVER: &str = "
import os, signal, socket, subprocess, sys, time
def act():
    ACT
try:
    act()
    answer = b'open'
except (OSError, AssertionError) as error:
    answer = b'held'
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen()
while True:
    c, _ = s.accept()
    c.recv(100)
    c.sendall(answer)
    c.close()
";

/// Writes what is handed in.
pub(super) fn write(
    attack: &Attack,
    rubric: &Rubric,
    targets: &Targets,
    submission: &Path,
) -> anyhow::Result<()> {
    if attack.solution {
        copy(&rubric.folder.join("solution/echo_server"), &submission.join("echo_server"))?;
    }
    if let Some(act) = &attack.python {
        let act = targets.fill(act, submission)?.replace('\n', "\n    ");
        fs::write(submission.join("echo_server.py"), SERVER.replace("ACT", &act))?;
    }
    for (name, content) in &attack.files {
        let place = submission.join(name);
        fs::create_dir_all(place.parent().unwrap_or(submission))?;
        _ = fs::remove_file(&place);
        place_file(&place, &targets.fill(content, submission)?)?;
    }
    if let Some(command) = &attack.make {
        shell(&targets.fill(command, submission)?, submission)?;
    }
    Ok(())
}

/// Runs a command in a folder and returns whether it succeeded.
pub(super) fn shell(command: &str, folder: &Path) -> anyhow::Result<bool> {
    let mut shell = Command::new("bash");
    shell.args(["-c", command]).current_dir(folder);
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(shell.status().context("bash")?.success())
}

fn place_file(place: &Path, content: &str) -> anyhow::Result<()> {
    match content.split_once(':') {
        Some(("link", to)) => symlink(to, place)?,
        Some(("pipe", _)) => _ = Command::new("mkfifo").arg(place).status()?,
        Some(("sparse", size)) => fs::File::create(place)?.set_len(size.parse()?)?,
        _ => {
            fs::File::create(place)?.write_all(content.as_bytes())?;
            fs::set_permissions(place, fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten().filter(|entry| entry.file_name() != "target") {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place)?
        } else {
            _ = fs::copy(entry.path(), place)?
        }
    }
    Ok(())
}
