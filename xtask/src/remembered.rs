//! The results of the last grading of the same programs, so that the next one can say what got
//! better and what got worse.
//!
//! They are kept beside what the harness builds. No grade depends on them: if they cannot be read
//! or written, nothing is said.

use std::collections::{BTreeMap, BTreeSet};
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
    /// The checks without a result in the last grading.
    #[serde(default)]
    undecided: BTreeSet<String>,
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

/// Returns the practical that was graded last.
pub(crate) fn last_practical() -> Option<String> {
    let entries = std::fs::read_dir(repository::target().ok()?).ok()?.flatten();
    let kept = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let (practical, _) = name.split_once("-remembered-")?;
        Some((entry.metadata().ok()?.modified().ok()?, practical.to_owned()))
    });
    kept.max().map(|(_, practical)| practical)
}

fn read(file: &Path) -> Option<Remembered> {
    parse(&std::fs::read(file).ok()?)
}

fn parse(content: &[u8]) -> Option<Remembered> {
    serde_json::from_slice(content).ok()
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
                (Some(true), None) if !self.undecided.contains(row.verdict.check) => {
                    since.undecided.push(row.verdict.check);
                    since.points -= i64::from(row.max_points);
                }
                (None, Some(_)) => since.has_new = true,
                _ => {}
            }
        }
        since
    }

    /// Adds the results of a grading. Checks without a result keep the one they had.
    fn with(mut self, grading: &Grading) -> Self {
        for row in &grading.rows {
            let check = row.verdict.check.to_owned();
            match passed(row) {
                Some(passed) => {
                    self.undecided.remove(&check);
                    self.passed.insert(check, passed);
                }
                None => _ = self.undecided.insert(check),
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
    use anyhow::Context;

    use crate::mutations::Inputs;
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

    #[test]
    fn bad_memory_is_no_memory() {
        const RIGHT: &[u8] = br#"{"command":"a","passed":{"b":true,"c":false},"undecided":["d"]}"#;
        let words = ["[", "{", "null", "\"b\":1", "1e400", "\\ud800"];
        let now = grade(&[("b", failed()), ("c", Passed), ("d", Unbuilt)]);
        let inputs = Inputs { right: &[RIGHT], words: &words, ..Inputs::default() };
        inputs.check("results of the last grading", |input| {
            let before = parse(input).context("that is nothing")?;
            before.since(&now).words();
            Ok(())
        });
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
            "Since last time: as many points. Better: b. Passed last time, no result now: a.",
        );
        check(&[before, &[("b", failed())], before], "Since last time: no change.");
    }

    #[test]
    fn points_that_a_failed_build_costs_are_a_change() {
        let before: &[(&'static str, Status)] = &[("a", Passed), ("b", failed())];
        let unbuilt: &[(&'static str, Status)] = &[("a", Unbuilt), ("b", Unbuilt)];
        check(
            &[before, unbuilt],
            "Since last time: 3 points fewer. Passed last time, no result now: a.",
        );
        check(&[before, unbuilt, unbuilt], "Since last time: no change.");
        check(&[before, unbuilt, before], "Since last time: no change.");
    }

    #[test]
    fn checks_with_their_first_result_are_not_compared() {
        check(
            &[&[("a", Passed)], &[("a", Passed), ("b", failed())]],
            "Since last time: no change in the checks that were graded then.",
        );
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
