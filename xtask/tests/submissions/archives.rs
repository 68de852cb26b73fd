//! Submissions in archives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use predicates::str::contains;

use crate::support::{folder_with, grade, has};
use crate::{RIGHT_PYTHON, SOLUTION, text};

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

/// Packs a checkout in which cargo, git, npm and macOS have left much, and returns the archives.
fn archives_of(folder: &Path) -> Vec<PathBuf> {
    let mut archives = vec![pack(folder, "a.tar.gz", "tar -czf"), pack(folder, "a.tar", "tar -cf")];
    if has("python3") {
        archives.push(pack(folder, "a.zip", "python3 -m zipfile -c"));
    }
    archives
}

/// Returns bytes that no compression makes smaller.
fn noise(length: usize) -> Vec<u8> {
    let step = |state: &u64| Some(state.wrapping_mul(6364136223846793005).wrapping_add(1));
    std::iter::successors(Some(1), step).map(|state| (state >> 40) as u8).take(length).collect()
}

#[test]
fn what_tools_have_made_counts_for_nothing() {
    let folder = folder_with(&[("packed/echo_server.py", &text(RIGHT_PYTHON))]);
    for made in ["target/debug/deps", ".git/objects", "node_modules/a", "__MACOSX", ".venv/lib"] {
        let place = folder.path().join("packed").join(made);
        fs::create_dir_all(&place).unwrap();
        let bytes = noise(900_000);
        (0..4).for_each(|n| fs::write(place.join(format!("{n}.d")), &bytes).unwrap());
    }
    for archive in archives_of(folder.path()) {
        if has("python3") {
            grade("--only echoes_short_message", &archive).assert().code(0);
        }
    }
}

#[test]
fn an_archive_that_is_too_large_is_refused_with_its_largest_folder() {
    let folder = folder_with(&[("packed/hw/echo_server.py", &text(RIGHT_PYTHON))]);
    let data = folder.path().join("packed/hw/data");
    fs::create_dir(&data).unwrap();
    (0..40).for_each(|n| fs::write(data.join(format!("{n}.csv")), vec![b'x'; 900_000]).unwrap());
    for archive in archives_of(folder.path()) {
        let refused = grade("--only echoes_short_message", &archive).assert().code(2);
        refused.stderr(contains("the largest folder is hw/data (34.3 MiB in 40 files)"));
    }
}

/// Old tools write names in the encoding of their system, and say nothing of it.
#[test]
fn a_name_in_another_encoding_that_is_not_needed_costs_nothing() {
    if !has("python3") {
        return;
    }
    let right = text(RIGHT_PYTHON);
    let folder = folder_with(&[
        ("packed/XbYng/echo_server.py", &right),
        ("packed/XbYng/XX.txt", ""),
        ("packed/XbYng/mXin.py", ""),
    ]);
    let archive = pack(folder.path(), "a.zip", "python3 -m zipfile -c");
    let bytes = fs::read(&archive).unwrap();
    for (x, y) in [(0x84, 0x9a), (0x83, 0x5c), (0xe4, 0xfc)] {
        let renamed: Vec<u8> = bytes
            .windows(2)
            .map(|pair| match pair {
                [b'X', b'b' | b'X' | b'.'] => x,
                [b'Y', b'n'] if y != 0x5c => y,
                [b'X', b'i'] => x,
                [byte, _] => *byte,
                _ => 0,
            })
            .chain([0])
            .collect();
        fs::write(&archive, renamed).unwrap();
        grade("--only echoes_short_message", &archive).assert().code(0);
    }
}
