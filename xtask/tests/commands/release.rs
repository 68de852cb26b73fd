//! The students' repository: nothing in it is an answer, and it grades at once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn release(to: &Path) -> Command {
    let mut command = Command::cargo_bin("xtask").unwrap();
    command.current_dir(root()).arg("release").arg(to);
    command
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let entries = entries.filter(|path| !path.ends_with("target") && !path.ends_with(".git"));
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Letters and digits.
fn size(line: &str) -> usize {
    line.chars().filter(|c| c.is_alphanumeric()).count()
}

/// What only a solution has: not what its skeleton or the handout shows, nor what every program
/// has.
fn answers() -> BTreeSet<String> {
    let mut answers = BTreeSet::new();
    let practicals =
        fs::read_dir(root().join("practicals")).unwrap().map(|entry| entry.unwrap().path());
    for practical in practicals.filter(|path| path.is_dir()) {
        for file in files(&practical.join("solution"))
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        {
            let within = file.strip_prefix(practical.join("solution")).unwrap();
            let skeleton = fs::read_to_string(practical.join(within)).unwrap_or_default();
            let handout = fs::read_to_string(practical.join("README.md")).unwrap();
            let given: BTreeSet<&str> =
                skeleton.lines().chain(handout.lines()).map(str::trim).collect();
            let solution = fs::read_to_string(file).unwrap();
            let body = solution
                .lines()
                .map(str::trim)
                .filter(|line| !given.contains(line) && !line.starts_with("use "));
            answers.extend(body.filter(|line| size(line) > 9).map(str::to_owned));
        }
    }
    answers
}

fn is_here() -> bool {
    let here = root().join("practicals/echo/solution").is_dir() && root().join(".git").exists();
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
        // The harness is Rust, too, and says `return Ok(None);`: there a line counts that is no
        // idiom.
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
    release(to)
        .assert()
        .code(2)
        .stdout("")
        .stderr(contains("the folder is not empty; with --replace"));
    assert!(to.join("old_solution.rs").exists() && !to.join("Cargo.toml").exists());

    release(to).arg("--replace").assert().code(0);
    assert!(!to.join("old_solution.rs").exists() && to.join("Cargo.toml").exists());
    assert_eq!(fs::read_to_string(to.join(".git/HEAD")).unwrap(), "kept");
    release(root())
        .arg("--replace")
        .assert()
        .code(2)
        .stderr(contains("this repository is in that folder"));
}

/// The same folder each time: only what has changed is built.
#[test]
fn a_released_repository_grades_and_verifies_at_once() {
    if !is_here() {
        return;
    }
    let executable = assert_cmd::cargo::cargo_bin("xtask");
    let target = executable.ancestors().nth(2).unwrap().join("released");
    let to = target.join("repository");
    fs::create_dir_all(&to).unwrap();
    release(&to).arg("--replace").assert().code(0);
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).current_dir(&to).env("CARGO_TARGET_DIR", target.join("target"));
        command
    };
    cargo(&["build", "--locked", "--package", "xtask"]).assert().success();
    cargo(&["xtask", "grade", "echo"])
        .assert()
        .code(1)
        .stdout(contains("Score ").and(contains("/100")));
    let file = target.join("junit.xml");
    cargo(&["xtask", "grade", "echo", "--report", &format!("junit={}", file.display())])
        .assert()
        .code(1);
    assert!(fs::read_to_string(&file).unwrap().contains("<testsuites")); // a light build has built the full one
    cargo(&["xtask", "grade", "echo", "--solution"])
        .assert()
        .code(2)
        .stderr(contains("there is no reference solution"));
    let verified = cargo(&["xtask", "verify"]).assert().code(0);
    verified.stdout(
        contains("echo: the grader holds")
            .and(contains("not here: the solution, the catalogue of mistakes")),
    );
}
