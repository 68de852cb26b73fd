//! The commands from outside: what they print, how they end, and what they leave behind.

mod bad_input;
mod explain;
mod faults;
mod grade;
mod home;
#[cfg(target_os = "linux")]
mod leftovers;
mod new;
#[cfg(unix)]
mod programs;
mod release;
mod reports;
#[cfg(target_os = "linux")]
mod stuck;
mod submission;
#[path = "../support/mod.rs"]
mod support;
mod unfinished;
#[cfg(target_os = "linux")]
mod unseen;
#[cfg(all(target_os = "linux", feature = "full"))]
mod watch;
#[cfg(target_os = "linux")]
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use predicates::str::contains;
use tempfile::TempDir;

use support::echo;

const UNFINISHED: &str = "fn main() {\n    todo!(\"steps 1 to 3\")\n}\n";

/// Makes a course with only the echo practical, as students get it.
fn course() -> TempDir {
    let course = tempfile::tempdir().unwrap();
    copy(&echo(""), &course.path().join("practicals/echo"));
    course
}

/// Makes the same with unfinished programs: those of a student's repository may be finished.
fn unfinished_course() -> TempDir {
    let course = course();
    for program in ["echo_server", "echo_client"] {
        fs::write(source(&course, program), UNFINISHED).unwrap();
    }
    course
}

/// Returns where the program's `main` is.
fn source(course: &TempDir, program: &str) -> PathBuf {
    course.path().join("practicals/echo").join(program).join("src/main.rs")
}

fn solution(program: &str) -> PathBuf {
    echo("solution").join(program).join("src/main.rs")
}

/// Copies a folder without what git and cargo keep in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        match entry.file_name().to_str() {
            Some("target" | ".git") => {}
            _ if entry.file_type().unwrap().is_dir() => copy(&entry.path(), &place),
            _ => _ = fs::copy(entry.path(), place).unwrap(),
        }
    }
}

/// Checks for one clear line on stderr, exit status 2 and nothing on stdout.
#[track_caller]
fn refuses(command: &mut Command, says: &str) {
    let assert = command.assert().code(2).stdout("").stderr(contains(says));
    let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!((errors, stderr.contains("panicked")), (1, false), "{stderr}");
}

/// Writes a server in Python, and returns its `--program` option with the folder that it needs.
#[cfg(unix)]
fn python_program(body: &str) -> Option<(TempDir, String)> {
    let folder = support::folder_with(&[("server.py", &support::python(body))]);
    let command = format!("python3 {}/server.py", folder.path().display());
    support::has("python3").then(|| (folder, support::program("echo_server", command)))
}

/// Starts a process whose output does not matter.
#[cfg(unix)]
fn start(command: &mut std::process::Command) -> std::process::Child {
    use std::process::Stdio;
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[cfg(unix)]
#[track_caller]
fn soon(what: &str, holds: impl Fn() -> bool) {
    let begin = std::time::Instant::now();
    while !holds() {
        assert!(begin.elapsed().as_secs() < 20, "{what}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
