//! What the tests of the other files share: to start a program, and to wait until something shows.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Waits until `seen` returns true, and panics with `what` after 30 s.
#[track_caller]
pub(super) fn soon(what: &str, seen: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !seen() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

/// Runs a command with an open standard input, calls `look` with its process id, and ends it.
#[track_caller]
pub(super) fn run_and_look(command: &mut Command, look: impl Fn(u32)) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    look(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Returns whether there is a Python, and prints that the test is skipped where there is none.
pub(super) fn has_python() -> bool {
    let has = Command::new("python3").arg("--version").output().is_ok();
    if !has {
        println!("skipped: no python3 here");
    }
    has
}
