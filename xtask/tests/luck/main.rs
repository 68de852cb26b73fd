//! Bad luck: a machine without room, memory, descriptors or processes, a clock that jumps, signals,
//! and helper processes that are killed.
//!
//! Whatever happens, a grading ends with a verdict, or with a fault in one line and status 3. What
//! was there before stays, and nothing is left behind. `luck.toml` has a row for each test, with the
//! number of times that it tries. `LUCK=20 cargo test -p xtask --test luck` tries 20 times as often.
#![cfg(target_os = "linux")]

mod clock;
mod disk;
mod ending;
mod limits;
#[allow(dead_code, unused_imports, reason = "each binary of tests uses a part of it")]
#[path = "../support/mod.rs"]
mod support;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use support::{process, processes_with};

const EARLIER: &str = "an earlier grade";

/// What may come of a grading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    FullMarks,
    /// A fault whose line contains this.
    Fault(&'static str),
    /// What a moment decides.
    FullMarksOrFault,
}

/// A grading with a temporary folder and an earlier report.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        fs::write(folder.path().join("report.json"), EARLIER).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Returns a short grading of the solution's server with these further words.
    fn grading(&self, words: &str) -> Command {
        let checks = "--only echoes_short_message --only adds_nothing";
        let mut grading = process(&format!("grade echo --solution {checks} {words}"));
        grading.arg("--report").arg(format!("json={}", self.path("report.json").display()));
        grading.env("TMPDIR", self.path("tmp"));
        grading
    }

    #[track_caller]
    fn check(&self, output: &Output, comes: Comes) {
        let [stdout, stderr] =
            [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        let told = format!("{:?}\n{stdout}\n{stderr}", output.status);
        assert!(!told.contains("panicked"), "{told}");
        let report = fs::read_to_string(self.path("report.json")).unwrap();
        match (comes, output.status.code()) {
            (Comes::FullMarks | Comes::FullMarksOrFault, Some(0)) => {
                let report: Value = serde_json::from_str(&report).unwrap();
                assert_eq!(report["score"], report["max_score"], "{told}");
            }
            (Comes::Fault(says), Some(3)) => {
                let lines: Vec<_> =
                    stderr.lines().filter(|line| line.starts_with("error: ")).collect();
                assert!(lines.len() == 1 && lines[0].contains(says), "{told}");
                assert_eq!(report, EARLIER);
            }
            (Comes::FullMarksOrFault, Some(3)) => assert_eq!(report, EARLIER),
            _ => panic!("{comes:?} was expected\n{told}"),
        }
        self.check_that_nothing_is_left();
    }

    #[track_caller]
    fn check_that_nothing_is_left(&self) {
        assert_eq!(names(&self.path("tmp")), Vec::<String>::new());
        let half: Vec<String> = names(self.0.path());
        assert!(!half.iter().any(|name| name.starts_with(".tmp")), "{half:?}");
        let name = self.0.path().file_name().unwrap().to_str().unwrap();
        soon("processes are left", || processes_with(name).is_empty());
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Returns the command in a shell that runs this script first.
fn after(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{script}\nexec \"$@\""), "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    copy_surroundings(command, &mut shell);
    shell
}

fn copy_surroundings(from: &Command, to: &mut Command) {
    to.current_dir(from.get_current_dir().unwrap());
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => to.env(name, value),
            None => to.env_remove(name),
        };
    }
}

/// Returns the same where the script may mount things, or says that the test is skipped.
fn with_mounts(script: &str, command: &Command) -> Option<Command> {
    let user: &[&str] = if is_root() { &[] } else { &["--user", "--map-root-user"] };
    let unshare = |rest: &[&OsStr]| {
        let mut unshare = Command::new("unshare");
        unshare.arg("--mount").args(user).args(rest);
        unshare
    };
    let trial = unshare(&["mount", "-t", "tmpfs", "none", "/mnt"].map(OsStr::new)).output();
    if !trial.is_ok_and(|output| output.status.success()) {
        println!("skipped: nothing can be mounted here");
        return None;
    }
    let shell = after(&format!("set -e\n{script}"), command);
    let words: Vec<&OsStr> = std::iter::once(shell.get_program()).chain(shell.get_args()).collect();
    let mut mounted = unshare(&words);
    copy_surroundings(command, &mut mounted);
    Some(mounted)
}

#[track_caller]
fn soon(what: &str, holds: impl Fn() -> bool) {
    let begin = std::time::Instant::now();
    while !holds() {
        assert!(begin.elapsed().as_secs() < 5, "{what}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").unwrap().uid() == 0
}

// ---- the table ----

const TABLE: &str = include_str!("luck.toml");

fn rows() -> Vec<toml::Table> {
    let table: toml::Table = toml::from_str(TABLE).unwrap();
    let rows = table["luck"].as_array().unwrap();
    rows.iter().map(|row| row.as_table().unwrap().clone()).collect()
}

/// Returns the numbers of the attempts that a test makes.
fn attempts(test: &str) -> std::ops::Range<u32> {
    let row = rows().into_iter().find(|row| row["test"].as_str() == Some(test)).unwrap();
    let times = std::env::var("LUCK").map_or(1, |times| times.parse::<u32>().unwrap());
    0..row["attempts"].as_integer().unwrap() as u32 * times
}

#[test]
fn each_row_has_its_test() {
    let sources = [include_str!("clock.rs"), include_str!("disk.rs"), include_str!("ending.rs")]
        .concat()
        + include_str!("limits.rs");
    let rows = rows();
    for row in &rows {
        let test = row["test"].as_str().unwrap();
        assert!(sources.contains(&format!("fn {test}()")), "{test}");
        assert!(sources.contains(&format!("attempts(\"{test}\")")), "{test}");
        assert!(row["tried"].as_integer() >= row["attempts"].as_integer(), "{test}");
    }
    assert_eq!(sources.matches("#[test]").count(), rows.len());
}
