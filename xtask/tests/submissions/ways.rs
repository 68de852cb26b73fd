//! The same files get the same verdict, in whichever way they are graded: in the checkout, as a
//! folder, as two kinds of archive, and as commands that start what cargo built from them.
//!
//! `cargo test -p xtask --test submissions -- --ignored every_tree` tries all trees with all checks;
//! `ONLY=flow` before it chooses checks.

mod trees;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{echo, has, report, root, xtask};
use trees::{TREES, Tree};

/// What counts of a report: each check's status, and the score.
type Verdict = (BTreeMap<String, String>, Value);

/// One place for all trees, so that cargo and the harness build only what a tree changes.
struct Ground {
    folder: TempDir,
    programs: &'static [&'static str],
    only: String,
}

impl Ground {
    fn new(programs: &'static [&'static str], only: &str) -> Self {
        let only = only.split_whitespace().map(|word| format!(" --only {word}")).collect();
        Self { folder: tempfile::tempdir().unwrap(), programs, only }
    }

    fn checkout(&self) -> PathBuf {
        self.folder.path().join("checkout")
    }

    /// Writes right programs into a fresh checkout, with what is odd about the tree.
    fn plant(&self, tree: &Tree) {
        _ = fs::remove_dir_all(self.checkout());
        let practical = self.checkout().join("practicals/echo");
        fs::create_dir_all(&practical).unwrap();
        for name in ["rubric.toml", "explanations.toml"] {
            fs::copy(echo(name), practical.join(name)).unwrap();
        }
        for program in self.programs {
            let folder = practical.join(program);
            for file in ["Cargo.toml", "Cargo.lock", "src/main.rs"] {
                let to = folder.join(file);
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(echo("solution").join(program).join(file), to).unwrap();
            }
            (tree.change)(&trees::Crate { folder });
        }
    }

    fn grade(&self, way: &str, arguments: &[String], here: &Path) -> Verdict {
        let mut grade = xtask(&format!("grade echo --seed 1{}", self.only));
        let report = report(grade.args(arguments).current_dir(here));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let checks = report["checks"].as_array().into_iter().flatten();
        let verdicts: BTreeMap<_, _> =
            checks.map(|check| (text(&check["id"]), text(&check["status"]))).collect();
        assert!(!verdicts.is_empty(), "{way}: {report:#}");
        (verdicts, report["score"].clone())
    }

    fn submission(&self, way: &str, place: &Path) -> Verdict {
        let arguments = ["--submission".to_owned(), place.display().to_string()];
        self.grade(way, &arguments, root())
    }

    /// Packs the checkout's files into an archive.
    fn pack(&self, name: &str, command: &str) -> PathBuf {
        let archive = self.folder.path().join(name);
        _ = fs::remove_file(&archive);
        let words: Vec<&str> = command.split_whitespace().collect();
        let mut pack = Command::new(words[0]);
        pack.args(&words[1..]).arg(&archive).arg(".").stdout(Stdio::null());
        assert!(pack.current_dir(self.checkout()).status().unwrap().success());
        archive
    }

    /// Builds the programs as a student does, and returns the options that start them.
    fn built(&self) -> Vec<String> {
        let program = |name: &&str| {
            let folder = self.checkout().join("practicals/echo").join(name);
            format!("--program={name}={} {{host}} {{port}}", self.build(name, &folder).display())
        };
        self.programs.iter().map(program).collect()
    }

    /// Builds with cargo. A tree may have programs that do not compile beside the right one.
    fn build(&self, name: &str, folder: &Path) -> PathBuf {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--offline", "--keep-going", "--message-format=json"]);
        cargo.env("CARGO_TARGET_DIR", self.folder.path().join("target").join(name));
        let output = cargo.env_remove("RUSTFLAGS").current_dir(folder).output().unwrap();
        let lines = output.stdout.split(|byte| *byte == b'\n');
        let messages = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        let executables: Vec<PathBuf> =
            messages.filter_map(|message| Some(message["executable"].as_str()?.into())).collect();
        let is_named = |path: &&PathBuf| path.file_name().is_some_and(|file| file == name);
        let named = executables.iter().find(is_named).or(executables.last());
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let built = named.unwrap_or_else(|| panic!("{}: {errors}", folder.display()));
        let kept = self.folder.path().join(format!("built_{name}"));
        fs::copy(built, &kept).unwrap();
        kept
    }

    /// Grades a tree in all ways, and compares the verdicts.
    #[track_caller]
    fn try_all_ways(&self, tree: &Tree) -> Result<(), String> {
        self.plant(tree);
        let at_home = self.grade("checkout", &[], &self.checkout());
        let ways = [
            ("folder", self.submission("folder", &self.checkout())),
            ("zip", self.submission("zip", &self.pack("a.zip", "python3 -m zipfile -c"))),
            ("tar.gz", self.submission("tar.gz", &self.pack("a.tar.gz", "tar -czf"))),
            ("program", self.grade("program", &self.built(), root())),
        ];
        let name = tree.name;
        if at_home.0.values().any(|status| status != "passed") {
            return Err(format!("{name}: in the checkout: {at_home:?}"));
        }
        let other = ways.iter().find(|(_, verdict)| *verdict != at_home);
        other.map_or(Ok(()), |(way, verdict)| Err(format!("{name}: {way}: {verdict:?}")))
    }
}

#[track_caller]
fn check<'a>(programs: &'static [&'static str], only: &str, trees: impl Iterator<Item = &'a Tree>) {
    if !has("python3") {
        return;
    }
    let ground = Ground::new(programs, only);
    let wrong: Vec<String> = trees.filter_map(|tree| ground.try_all_ways(tree).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_sample_of_trees_has_the_same_verdict_in_all_ways() {
    let sample = TREES.iter().filter(|tree| tree.in_sample);
    check(&["echo_server"], "listens_on_given_address", sample);
}

#[test]
#[ignore = "takes many minutes: 40 trees, each graded in five ways"]
fn every_tree_has_the_same_verdict_in_all_ways() {
    assert!(TREES.len() >= 40);
    let only = std::env::var("ONLY").unwrap_or_default();
    check(&["echo_server", "echo_client"], &only, TREES.iter());
}
