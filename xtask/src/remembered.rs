//! The results of the last grading of the same programs, so that the next one can say what got
//! better and what got worse.
//!
//! They are kept beside what the harness builds. No grade depends on them: if they cannot be read
//! or written, nothing is said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use suite::{Fnv, Status};

use crate::grade::{GradedRow, Grading, Since};
use crate::{files, repository};

/// The results of the last grading.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    /// The command that graded these programs, and where: results of another command cannot be
    /// compared.
    command: String,
    passed: BTreeMap<String, bool>,
}

/// Compares a grading with the last one and remembers it.
pub(crate) fn compared(grading: Grading) -> Grading {
    let Ok(repository) = repository::find() else { return grading };
    let command = format!("{} in {repository}", grading.command);
    let Ok(file) = file(grading.practical, &command) else { return grading };
    let before = read(&file).filter(|before| before.command == command);
    let since = before.as_ref().map(|before| before.since(&grading));
    let now = Remembered { command, ..before.unwrap_or_default() }.with(&grading);
    if let Ok(text) = serde_json::to_vec(&now) {
        _ = files::write(&file, &text);
    }
    Grading { since, ..grading }
}

fn file(practical: &str, command: &str) -> anyhow::Result<PathBuf> {
    let hash = Fnv::default().field(command.as_bytes()).finish();
    Ok(repository::target()?.join(format!("{practical}-remembered-{hash:016x}.json")))
}

fn read(file: &Path) -> Option<Remembered> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

impl Remembered {
    fn since(&self, grading: &Grading) -> Since {
        let mut since = Since::default();
        for row in &grading.rows {
            match (self.passed.get(row.verdict.check), passed(row)) {
                (Some(false), Some(true)) => {
                    since.better.push(row.verdict.check);
                    since.points += i64::from(row.max_points);
                }
                (Some(true), Some(false)) => {
                    since.worse.push(row.verdict.check);
                    since.points -= i64::from(row.max_points);
                }
                _ => {}
            }
        }
        since
    }

    /// Adds the results of a grading. Checks that were not run keep their results.
    fn with(mut self, grading: &Grading) -> Self {
        for row in &grading.rows {
            if let Some(passed) = passed(row) {
                self.passed.insert(row.verdict.check.to_owned(), passed);
            }
        }
        self
    }
}

/// Returns whether a check passed; `None` if the program did not compile or nothing could be found
/// out.
fn passed(row: &GradedRow) -> Option<bool> {
    match row.verdict.status {
        Status::Passed => Some(true),
        Status::Failed(_) | Status::Skipped(_) => Some(false),
        Status::Unbuilt | Status::Unseen(_) | Status::Fault(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::real;
    use suite::{Failure, Fault, Verdict};

    fn grade(rows: &[(&'static str, Status)]) -> Grading {
        real::of(rows.iter().map(|(id, status)| GradedRow {
            group: "exactness",
            program: "echo_server",
            max_points: 3,
            claim: String::new(),
            hints: Vec::new(),
            given: None,
            hidden: false,
            verdict: Verdict::new(id, status.clone()),
        }))
    }

    fn failed() -> Status {
        Status::Failed(Failure::default())
    }

    /// Compares the last of these gradings with the earlier ones.
    #[track_caller]
    fn check(gradings: &[&[(&'static str, Status)]], expected: &str) {
        let (last, earlier) = gradings.split_last().unwrap();
        let remembered =
            earlier.iter().fold(Remembered::default(), |before, rows| before.with(&grade(rows)));
        assert_eq!(remembered.since(&grade(last)).words(), expected);
    }

    use Status::{Passed, Unbuilt};

    #[test]
    fn what_got_better_and_what_got_worse_is_named() {
        let before = [
            ("a", Passed),
            ("b", failed()),
            ("c", Status::Skipped("b".to_owned())),
            ("d", failed()),
        ];
        check(
            &[&before, &[("a", failed()), ("b", Passed), ("c", Passed), ("d", failed())]],
            "Since last time: 3 points more. Better: b, c. Worse: a.",
        );
        check(&[&before, &before], "Since last time: no change.");
        check(
            &[&[("a", Passed)], &[("a", failed())]],
            "Since last time: 3 points fewer. Worse: a.",
        );
    }

    #[test]
    fn what_did_not_compile_or_was_not_run_is_compared_with_the_time_before() {
        let fault = Status::Fault(Fault("no descriptors left".to_owned()));
        let before: &[(&'static str, Status)] = &[("a", Passed), ("b", failed())];
        check(
            &[before, &[("a", Unbuilt), ("b", Unbuilt)], &[("a", failed()), ("b", failed())]],
            "Since last time: 3 points fewer. Worse: a.",
        );
        check(
            &[before, &[("a", fault), ("b", Passed)]],
            "Since last time: 3 points more. Better: b.",
        );
        check(&[before, &[("b", failed())], before], "Since last time: no change.");
    }

    #[test]
    fn many_are_counted() {
        let ids = ["a", "b", "c", "d", "e", "f", "g"];
        let rows = |status: Status| ids.map(|id| (id, status.clone()));
        check(
            &[&rows(failed()), &rows(Passed)],
            "Since last time: 21 points more. Better: a, b, c, d, e and 2 more.",
        );
    }
}
