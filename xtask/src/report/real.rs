//! Real conversations with programs of the catalogue, for tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use suite::{Budget, CommandLine, Confinement, Planned, Scratch, Settings, Subject};

use crate::grade::{Grade, GradedRow, Grading};
use crate::surroundings::Surroundings;
use crate::{build, repository};

/// Returns the target folder, in which tests leave pictures for people.
pub(crate) fn target() -> PathBuf {
    let executable = std::env::current_exe().unwrap();
    executable.ancestors().nth(3).unwrap().to_owned() // target/debug/deps/xtask-…
}

/// Grades a program of the catalogue in these checks. Prints and returns `None` if that is
/// impossible here.
pub(crate) fn grade(name: &str, program: &str, checks: &[&str]) -> Option<Grading> {
    let launcher = target().join("debug").join(format!("xtask{}", std::env::consts::EXE_SUFFIX));
    let folder = repository::find().unwrap().practical("echo").unwrap().join("mistakes");
    if !launcher.is_file() || !folder.is_dir() {
        println!("skipped: needs {} and {}", launcher.display(), folder.display());
        return None;
    }
    let programs =
        build::all_programs_of(&folder, &target().join("practicals/echo-verify/mistakes")).unwrap();
    let words: [&std::ffi::OsStr; 3] =
        [programs[name].as_os_str(), "{host}".as_ref(), "{port}".as_ref()];
    let subjects = [Arc::new(Subject::new(program, CommandLine::new(words), None, None))];
    let all = suite::practical("echo").unwrap().checks();
    let chosen = all.filter(|check| checks.contains(&check.id));
    let plan: Vec<Planned> =
        chosen.map(|check| Planned { check, needs: Vec::new(), hidden: false }).collect();
    let scratch = Scratch::new().unwrap();
    let settings = Settings {
        seed: 7,
        jobs: 2,
        launcher,
        scratch: scratch.path().to_owned(),
        confinement: Confinement::off(),
        budget: Budget::begin(Budget::USUAL),
    };
    let verdicts = suite::run(&plan, &subjects, &settings, |_| {});
    Some(of(plan.iter().zip(verdicts).map(|(planned, verdict)| GradedRow {
        group: planned.check.group,
        program: planned.check.programs[0],
        max_points: 1,
        claim: "It works.".to_owned(),
        hints: Vec::new(),
        given: None,
        hidden: false,
        verdict,
    })))
}

/// Returns a grading with these rows.
pub(crate) fn of(rows: impl IntoIterator<Item = GradedRow>) -> Grading {
    let rows: Vec<GradedRow> = rows.into_iter().collect();
    Grading {
        practical: "echo",
        title: "Echo".to_owned(),
        submission: "practicals/echo".to_owned(),
        seed: 7,
        outcome: Grade::of(&rows, 100),
        rows,
        mistakes: Vec::new(),
        unbuilt: Vec::new(),
        duration: Duration::from_millis(40),
        confinement: vec!["none".to_owned()],
        notes: Vec::new(),
        command: "cargo xtask grade echo".to_owned(),
        hint_steps: 1,
        shows_hidden: false,
        is_submission: false,
        hand_in: None,
        folders: Vec::new(),
        places: crate::grade::Places::default(),
        fingerprints: BTreeMap::new(),
        surroundings: Surroundings::default(),
        since: None,
    }
}

/// Returns whether a tool is installed, and prints if it is not.
#[cfg(feature = "full")]
pub(crate) fn has(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = std::env::split_paths(&path)
        .any(|folder| std::path::Path::new(&folder).join(tool).is_file());
    if !is_here {
        println!("skipped: {tool} is not installed");
    }
    is_here
}
