//! What the tests of the commands share.

#[cfg(unix)]
mod programs;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

#[cfg(unix)]
pub(crate) use programs::{c_server, has, program, python};

/// What a CI says of itself, which the reports react to, and what forces colour.
const SURROUNDINGS: [&str; 5] =
    ["CLICOLOR_FORCE", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "CLASSROOM"];

/// Returns `cargo xtask WORDS` in the repository.
pub(crate) fn xtask(words: &str) -> Command {
    Command::from_std(process(words))
}

/// Returns the same as a process that can be started without waiting for its end.
pub(crate) fn process(words: &str) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.current_dir(root()).args(words.split_whitespace());
    SURROUNDINGS.iter().for_each(|name| _ = command.env_remove(name));
    command
}

/// Returns `grade echo WORDS --submission PLACE`.
pub(crate) fn grade(words: &str, place: &(impl AsRef<Path> + ?Sized)) -> Command {
    let mut command = xtask(&format!("grade echo {words} --submission"));
    command.arg(place.as_ref());
    command
}

/// Returns what `--report json` prints.
pub(crate) fn report(command: &mut Command) -> Value {
    let output = command.args(["--report", "json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Returns a place in the echo practical.
pub(crate) fn echo(path: &str) -> PathBuf {
    root().join("practicals/echo").join(path)
}

/// Makes a folder with these files in it.
pub(crate) fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let place = folder.path().join(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, content).unwrap();
    }
    folder
}

/// Returns the command lines that contain this word.
#[cfg(target_os = "linux")]
pub(crate) fn processes_with(word: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(word)).collect()
}
