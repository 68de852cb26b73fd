//! `release`: the students' repository holds no answer, and grades at once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{echo, root, xtask};

fn release(to: &Path) -> Command {
    let mut command = xtask("release");
    command.arg(to);
    command
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let entries = entries.filter(|path| !path.ends_with("target") && !path.ends_with(".git"));
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Counts the letters and digits.
fn size(line: &str) -> usize {
    line.chars().filter(|c| c.is_alphanumeric()).count()
}

/// Returns the lines that only solutions have: neither their skeleton nor their handout shows them.
fn answers() -> BTreeSet<String> {
    let practicals = fs::read_dir(root().join("practicals")).unwrap();
    let practicals = practicals.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    practicals.flat_map(|practical| answers_of(&practical)).collect()
}

fn answers_of(practical: &Path) -> BTreeSet<String> {
    let solution = practical.join("solution");
    let handout = fs::read_to_string(practical.join("README.md")).unwrap();
    let mut answers = BTreeSet::new();
    for file in files(&solution).iter().filter(|file| file.extension().is_some_and(|e| e == "rs")) {
        let skeleton = practical.join(file.strip_prefix(&solution).unwrap());
        let skeleton = fs::read_to_string(skeleton).unwrap_or_default();
        let given: BTreeSet<&str> =
            skeleton.lines().chain(handout.lines()).map(str::trim).collect();
        let text = fs::read_to_string(file).unwrap();
        let lines = text.lines().map(str::trim).filter(|line| size(line) > 9);
        let lines = lines.filter(|line| !given.contains(line) && !line.starts_with("use "));
        answers.extend(lines.map(str::to_owned));
    }
    answers
}

fn is_here() -> bool {
    let here = echo("solution").is_dir() && root().join(".git").exists();
    if !here {
        println!("skipped: this is a released repository itself, or no checkout");
    }
    here
}

#[test]
fn no_line_of_a_solution_is_released() {
    if !is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("released");
    release(&to).assert().code(0).stdout(contains("left out  the solutions"));

    let answers = answers();
    assert!(answers.len() > 40, "{answers:?}");
    let released = files(&to);
    assert!(released.iter().any(|path| path.ends_with("practicals/echo/echo_server/src/main.rs")));
    for path in &released {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        // Idioms such as `return Ok(None);` are in the harness, too: there only long lines count.
        let least = if path.strip_prefix(&to).unwrap().starts_with("practicals") { 0 } else { 24 };
        for line in text.lines().filter(|line| size(line) >= least) {
            assert!(!answers.contains(line.trim()), "{}: {line}", path.display());
        }
        for name in ["solution", "mistakes", "attacks.toml"] {
            assert!(!path.iter().any(|part| part == name), "{}", path.display());
        }
    }
}

#[test]
fn what_is_there_makes_room_only_when_told_to() {
    if !is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path();
    fs::create_dir_all(to.join(".git")).unwrap();
    fs::write(to.join(".git/HEAD"), "kept").unwrap();
    fs::write(to.join("old_solution.rs"), "old").unwrap();
    let refused = release(to).assert().code(2).stdout("");
    refused.stderr(contains("the folder is not empty; with --replace"));
    assert!(to.join("old_solution.rs").exists() && !to.join("Cargo.toml").exists());

    release(to).arg("--replace").assert().code(0);
    assert!(!to.join("old_solution.rs").exists() && to.join("Cargo.toml").exists());
    assert_eq!(fs::read_to_string(to.join(".git/HEAD")).unwrap(), "kept");
    let refused = release(root()).arg("--replace").assert().code(2);
    refused.stderr(contains("this repository is in that folder"));
}

/// Uses the same folder each time, so that cargo builds only what has changed.
#[test]
fn a_released_repository_grades_and_verifies_at_once() {
    if !is_here() {
        return;
    }
    let executable = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let target = executable.ancestors().nth(2).unwrap().join("released");
    let to = target.join("repository");
    fs::create_dir_all(&to).unwrap();
    release(&to).arg("--replace").assert().code(0);
    let cargo = |words: &str| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(words.split_whitespace()).current_dir(&to);
        cargo.env("CARGO_TARGET_DIR", target.join("target"));
        cargo
    };
    cargo("build --locked --package xtask").assert().success();
    let score = contains("Score ").and(contains("/100"));
    cargo("xtask grade echo").assert().code(1).stdout(score);
    let report = cargo("xtask grade echo --report junit=../junit.xml").assert();
    report.code(1); // JUnit needs the full build, which the light one starts
    assert!(fs::read_to_string(target.join("junit.xml")).unwrap().contains("<testsuites"));
    let solution = cargo("xtask grade echo --solution").assert().code(2);
    solution.stderr(contains("there is no reference solution"));
    let verified = cargo("xtask verify").assert().code(0);
    verified
        .stdout(contains("echo: the grader holds"))
        .stdout(contains("not here: the solution, the catalogue of mistakes"));
}
