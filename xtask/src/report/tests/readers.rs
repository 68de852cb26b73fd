//! Other people's readers.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::read_back::json;
use super::texts;
use crate::report::sample;

/// `tests/consumers/read.mjs` reads every report with other projects' readers or documented
/// schemas, and prints the score.
#[test]
fn other_peoples_readers_accept_every_report() {
    if Command::new("node").arg("--version").output().is_err() {
        println!("skipped: no node here");
        return;
    }
    let Some(readers) = readers() else { return };
    let reports = tempfile::tempdir().unwrap();
    for (sample, grading) in [
        ("plain", sample::grade()),
        ("hostile", sample::hostile()),
        ("fault", sample::with_a_fault()),
        ("broken_off", sample::broken_off()),
    ] {
        let folder = reports.path().join(sample);
        std::fs::create_dir(&folder).unwrap();
        for (name, render) in texts() {
            std::fs::write(folder.join(name), render(&grading)).unwrap();
        }
    }
    let output = Command::new("node").arg(&readers).arg(reports.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let scores = json(&said);
    for (sample, formats) in scores.as_object().unwrap() {
        for (format, score) in formats.as_object().unwrap() {
            let expected =
                if ["plain", "hostile"].contains(&sample.as_str()) { "7/25" } else { "none" };
            assert_eq!(score, expected, "{sample} {format}");
        }
    }
    println!("{said}");
}

/// Installs the readers once, below the target folder.
pub(in crate::report) fn readers() -> Option<PathBuf> {
    static READERS: std::sync::OnceLock<Option<PathBuf>> = std::sync::OnceLock::new();
    READERS.get_or_init(install_readers).clone()
}

fn install_readers() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumers");
    if !source.is_dir() {
        println!("skipped: {} is not here", source.display());
        return None;
    }
    let executable = std::env::current_exe().unwrap();
    let folder = executable
        .ancestors()
        .find(|folder| folder.ends_with("target") || folder.join("CACHEDIR.TAG").exists())?;
    let folder = folder.join("consumers");
    copy_readers(&source, &folder);
    let lock = std::fs::read(folder.join("package-lock.json")).unwrap();
    let stamp = folder.join("installed");
    if !std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        install(&folder)?;
        std::fs::write(stamp, lock).unwrap();
    }
    Some(folder.join("read.mjs"))
}

fn copy_readers(source: &Path, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for entry in std::fs::read_dir(source).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let schema = "verdict.schema.json";
    std::fs::copy(source.join("../../schema").join(schema), folder.join(schema)).unwrap();
}

fn install(folder: &Path) -> Option<()> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let quiet = ["--loglevel=error", "--no-audit", "--no-fund"];
    let mut command = Command::new(npm);
    command.arg("ci").args(quiet).args(["--ignore-scripts", "--fetch-retries=0"]);
    match command.current_dir(folder).output() {
        Ok(output) if output.status.success() => Some(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            println!("skipped: npm cannot install the readers: {said}");
            None
        }
        Err(_) => {
            println!("skipped: no npm here");
            None
        }
    }
}
