//! Submissions as they are handed in, graded as they stand: in any language, in folders and
//! archives, beside hostile ones; and what the confinement says of itself.

#![cfg(target_os = "linux")]

mod archives;
mod banners;
mod builds;
mod command_lines;
mod confinement;
mod languages;
mod layouts;
mod many;
mod own_files;
mod refused;
#[path = "../support/mod.rs"]
mod support;
mod surroundings;
mod taken;
mod unneeded;
mod ways;
mod whose_fault;

use std::fs;

use support::{echo, xtask};

/// Grades with all protections. A machine that cannot have them skips the test.
fn has_namespaces() -> bool {
    let mut grade = xtask("grade echo --solution --only reports_bad_arguments --confine required");
    let output = grade.output().unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => return true,
        Some(3) => println!("skipped: {}", messages.lines().last().unwrap_or_default()),
        _ => panic!("no verdict of the solution: {messages}"),
    }
    false
}

/// Returns the text of a file of the echo practical.
fn text(path: &str) -> String {
    fs::read_to_string(echo(path)).unwrap()
}

const SOLUTION: &str = "solution/echo_server/src/main.rs";
const RIGHT_PYTHON: &str = "mistakes/other_languages/echo_server.py";
