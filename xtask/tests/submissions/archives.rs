//! Submissions in archives.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use predicates::str::contains;

use crate::support::{folder_with, grade, has};
use crate::{SOLUTION, text};

/// Packs the subfolder `packed` into an archive beside it.
fn pack(folder: &Path, name: &str, command: &str) -> PathBuf {
    let words: Vec<&str> = command.split_whitespace().collect();
    let mut pack = Command::new(words[0]);
    pack.args(&words[1..]).args([&format!("../{name}"), "."]).stdout(Stdio::null());
    assert!(pack.current_dir(folder.join("packed")).status().unwrap().success());
    folder.join(name)
}

#[test]
fn archives_of_the_same_program_are_not_mixed() {
    let right = text(SOLUTION);
    let check = |name: &str, command: &str| {
        for (source, status) in [(right.as_str(), 0), ("fn main() {}\n", 1), (&right, 0)] {
            let file = "packed/submission/echo_server/src/main.rs";
            let folder = folder_with(&[(file, source)]);
            let archive = pack(folder.path(), name, command);
            grade("--only echoes_short_message", &archive).assert().code(status);
        }
    };
    check("a.tar.gz", "tar -czf");
    if has("python3") {
        check("a.zip", "python3 -m zipfile -c");
    }
}

#[test]
fn a_damaged_archive_is_one_clear_line() {
    let folder = folder_with(&[("a.zip", "PK but no more")]);
    let assert = grade("", &folder.path().join("a.zip")).assert();
    assert.code(2).stderr(contains("it is damaged"));
}
