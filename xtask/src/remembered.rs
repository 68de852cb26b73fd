//! What the last grading of the same programs said, so that the next one can tell what got better
//! and what got worse.
//!
//! It is kept beside what the harness builds. No grade and no report for another program depends on
//! it: where it cannot be read or written, nothing is said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use suite::{Fnv, Status};

use crate::grade::{Grade, GradedRow};
use crate::{files, repository};

/// Whether each check passed when it was last run.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    /// The command that graded these programs, and where: another one's results are no comparison.
    command: String,
    passed: BTreeMap<String, bool>,
}

/// What has changed since then.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Since {
    pub(crate) better: Vec<&'static str>,
    pub(crate) worse: Vec<&'static str>,
    /// The points that this makes.
    pub(crate) points: i64,
}

/// Compares a grade with the last one, and remembers it.
pub(crate) fn compared(grade: Grade) -> Grade {
    let Ok(repository) = repository::find() else { return grade };
    let command = format!("{} in {repository}", grade.command);
    let Ok(file) = file(grade.practical, &command) else { return grade };
    let before = read(&file).filter(|before| before.command == command);
    let since = before.as_ref().map(|before| before.since(&grade));
    let now = Remembered { command, ..before.unwrap_or_default() }.with(&grade);
    if let Ok(text) = serde_json::to_vec(&now) {
        _ = files::write(&file, &text);
    }
    Grade { since, ..grade }
}

fn file(practical: &str, command: &str) -> anyhow::Result<PathBuf> {
    let hash = Fnv::default().field(command.as_bytes()).finish();
    Ok(repository::target()?.join(format!("{practical}-remembered-{hash:016x}.json")))
}

fn read(file: &Path) -> Option<Remembered> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

impl Remembered {
    fn since(&self, grade: &Grade) -> Since {
        let mut since = Since::default();
        for row in &grade.rows {
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

    /// What was not run this time stays as it was.
    fn with(mut self, grade: &Grade) -> Self {
        for row in &grade.rows {
            if let Some(passed) = passed(row) {
                self.passed.insert(row.verdict.check.to_owned(), passed);
            }
        }
        self
    }
}

/// A program that does not compile for a while is neither better nor worse, nor is what could not
/// be found out.
fn passed(row: &GradedRow) -> Option<bool> {
    match row.verdict.status {
        Status::Passed => Some(true),
        Status::Failed(_) | Status::Skipped(_) => Some(false),
        Status::Unbuilt | Status::Unseen(_) | Status::Fault(_) => None,
    }
}

impl Since {
    /// In a sentence.
    pub(crate) fn words(&self) -> String {
        let points = match self.points {
            0 if self.better.is_empty() && self.worse.is_empty() => {
                return "Since last time: no change.".to_owned();
            }
            0 => "as many points".to_owned(),
            1.. => format!("{} more", counted(self.points.unsigned_abs())),
            _ => format!("{} fewer", counted(self.points.unsigned_abs())),
        };
        let part = |label: &str, ids: &[&str]| {
            if ids.is_empty() { String::new() } else { format!(" {label}: {}.", listed(ids)) }
        };
        format!(
            "Since last time: {points}.{}{}",
            part("Better", &self.better),
            part("Worse", &self.worse)
        )
    }
}

fn counted(points: u64) -> String {
    format!("{points} point{}", if points == 1 { "" } else { "s" })
}

/// The first few, and how many more.
fn listed(ids: &[&str]) -> String {
    const SHOWN: usize = 5;
    match ids.len().saturating_sub(SHOWN) {
        0 => ids.join(", "),
        more => format!("{} and {more} more", ids[..SHOWN].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::real;
    use suite::{Failure, Fault, Verdict};

    fn grade(rows: &[(&'static str, Status)]) -> Grade {
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

    /// What the last of these gradings says.
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
