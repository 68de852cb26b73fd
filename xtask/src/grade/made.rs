//! How a grading is made.

use std::collections::BTreeMap;
use std::time::Duration;

use suite::{Status, Verdict};

use super::{Grade, GradedRow, Grading, NoGrade, Places};
use crate::check::Verdicts;
use crate::request::{GradeRequest, Origin};
use crate::rubric::{Row, Rubric};
use crate::submission::{Source, Sources};
use crate::surroundings::Surroundings;
use crate::unbuilt::Unbuilt;

/// What to try where a program never gets so far as to a conversation.
const START: &str = "Start it by hand, with the same words on its command line, and mend what it \
                     says first. The other checks of this program wait for that.";

/// What to try where the time for the submission was over.
const OUT_OF_TIME: &str = "Look for what takes so long: your build, or a program that makes every \
                           client wait. A right program is done with all checks in a minute.";

impl Grading {
    /// Puts the rubric's points to the verdicts.
    pub(crate) fn new(
        rubric: &Rubric,
        request: &GradeRequest,
        sources: &Sources,
        unbuilt: Vec<Unbuilt>,
        verdicts: Verdicts,
    ) -> Self {
        let diagnoses = rubric.practical.diagnose(&verdicts.list);
        let places = Places::of(sources, request);
        let rows = rows(rubric, request, (sources, &places), verdicts.list);
        let folders = sources.programs.iter().filter_map(|source| folder(source, sources, request));
        Self {
            practical: rubric.practical.name,
            title: rubric.title.clone(),
            submission: sources.submission.clone(),
            outcome: Grade::of(&rows, rubric.pass_mark),
            rows,
            mistakes: diagnoses.into_iter().map(|found| rubric.explanations.name(found)).collect(),
            unbuilt: unbuilt.into_iter().map(|program| places.in_errors(program)).collect(),
            duration: verdicts.took,
            confinement: verdicts.confinement,
            notes: sources.notes.clone(),
            folders: folders.collect(),
            places,
            fingerprints: sources.fingerprints(),
            hand_in: is_own(request)
                .then(|| rubric.branch.clone())
                .filter(|_| request.only.is_empty()),
            ..Self::empty(request)
        }
    }

    /// Returns a grading that was broken off before it had a verdict.
    pub(crate) fn broken_off(
        request: &GradeRequest,
        surroundings: Surroundings,
        error: &anyhow::Error,
    ) -> Self {
        let outcome = Err(NoGrade(format!("{error:#}")));
        Self { outcome, surroundings, ..Self::empty(request) }
    }

    /// Returns what is known before anything is graded.
    fn empty(request: &GradeRequest) -> Self {
        let practical = suite::practical(&request.practical);
        Self {
            practical: practical.map_or("unknown", |practical| practical.name),
            title: request.practical.clone(),
            submission: String::new(),
            seed: request.seed,
            rows: Vec::new(),
            outcome: Err(NoGrade(String::new())),
            mistakes: Vec::new(),
            unbuilt: Vec::new(),
            duration: Duration::ZERO,
            confinement: Vec::new(),
            notes: Vec::new(),
            command: command(request),
            hint_steps: request.hint,
            shows_hidden: request.show_hidden,
            folders: Vec::new(),
            places: Places::default(),
            fingerprints: BTreeMap::new(),
            is_submission: matches!(request.origin, Origin::Submission(_)),
            hand_in: None,
            surroundings: Surroundings::default(),
            since: None,
        }
    }
}

/// Returns whether the programs are those in the practical's own folder.
fn is_own(request: &GradeRequest) -> bool {
    request.origin == Origin::Practical && request.programs.is_empty()
}

fn rows(
    rubric: &Rubric,
    request: &GradeRequest,
    (sources, places): (&Sources, &Places),
    verdicts: Vec<Verdict>,
) -> Vec<GradedRow> {
    let graded = |verdict: Verdict| {
        let row = rubric.row(verdict.check)?;
        let left_out = left_out(row, sources, &verdict);
        let verdict = places.in_verdict(row.check.programs, verdict);
        let mut graded = GradedRow::new(row, verdict);
        left_out.into_iter().for_each(|hint| graded.hints.insert(0, hint));
        Some(GradedRow { given: graded.given.filter(|_| is_own(request)), ..graded })
    };
    excused(verdicts).into_iter().filter_map(graded).collect()
}

/// Returns what a program that failed names of what was left out of the submission.
fn left_out(row: &Row, sources: &Sources, verdict: &Verdict) -> Option<String> {
    verdict.failure()?;
    let said = String::from_utf8_lossy(&verdict.stderr_tail);
    let staged = row.check.programs.iter().filter_map(|name| sources.staged(name));
    let mut named = staged.filter_map(|staged| staged.left_out_in(&said));
    named.next().map(|named| format!("What it says on stderr names something that was {named}."))
}

/// Takes the checks that were skipped because of a fault out of the grade: a fault costs no point,
/// and neither does what hangs on it.
fn excused(verdicts: Vec<Verdict>) -> Vec<Verdict> {
    let statuses: BTreeMap<&str, &Status> =
        verdicts.iter().map(|verdict| (verdict.check, &verdict.status)).collect();
    let reasons: Vec<Option<String>> = verdicts.iter().map(|it| excuse(it, &statuses)).collect();
    let excused = |(verdict, reason): (Verdict, Option<String>)| match reason {
        Some(reason) => Verdict { status: Status::Unseen(reason), ..verdict },
        None => verdict,
    };
    verdicts.into_iter().zip(reasons).map(excused).collect()
}

/// Returns why a skipped check does not count, if its needs lead to a fault.
fn excuse(verdict: &Verdict, statuses: &BTreeMap<&str, &Status>) -> Option<String> {
    let mut status = &verdict.status;
    let mut needed = None;
    while let Status::Skipped(need) = status {
        needed = Some(need);
        status = statuses.get(need.as_str())?;
    }
    let (need, Status::Fault(_)) = (needed?, status) else { return None };
    Some(format!("It needs {need}, which the grader could not find out. This costs no point."))
}

impl GradedRow {
    fn new(row: &Row, verdict: Verdict) -> Self {
        Self {
            group: row.check.group,
            program: row.check.programs[0],
            max_points: row.points,
            claim: row.claim.clone(),
            hints: hints(row, &verdict),
            given: row.given.clone(),
            hidden: row.hidden,
            verdict,
        }
    }
}

/// Returns the hints for a check. A program that does not get so far needs another one than the
/// check, and a step that is not written yet needs none.
fn hints(row: &Row, verdict: &Verdict) -> Vec<String> {
    match verdict.failure() {
        Some(failure) if failure.unwritten().is_some() => Vec::new(),
        Some(failure) if failure.is_out_of_time => vec![OUT_OF_TIME.to_owned()],
        Some(failure) if failure.bar.is_some() => vec![START.to_owned()],
        _ => row.hints.clone(),
    }
}

/// Returns a crate's folder, relative to the top of the submission.
fn folder(source: &Source, sources: &Sources, request: &GradeRequest) -> Option<(String, String)> {
    let Source::Crate(staged) = source else { return None };
    let within = match request.origin {
        Origin::Submission(_) => {
            staged.origin.strip_prefix(&sources.submission)?.trim_start_matches('/')
        }
        Origin::Practical | Origin::Solution => &staged.origin,
    };
    Some((staged.name.clone(), within.to_owned()))
}

/// Returns the request as a command line.
fn command(request: &GradeRequest) -> String {
    let mut words = vec!["cargo xtask grade".to_owned(), request.practical.clone()];
    match &request.origin {
        Origin::Practical => {}
        Origin::Solution => words.push("--solution".to_owned()),
        Origin::Submission(folder) => {
            words.extend(["--submission".to_owned(), quoted(&folder.display().to_string())])
        }
    }
    for program in &request.programs {
        words.extend([
            "--program".to_owned(),
            quoted(&format!("{}={}", program.name, program.text)),
        ]);
    }
    if let Some(address) = request.address {
        words.extend(["--address".to_owned(), address.to_string()]);
    }
    words.join(" ")
}

fn quoted(word: &str) -> String {
    shell_words::quote(word).into_owned()
}

#[cfg(test)]
mod tests {
    use suite::{Failure, Fault};

    use super::*;

    #[track_caller]
    fn check(verdicts: &[(&'static str, Status)], counted: &[&str]) {
        let verdicts = verdicts.iter().map(|(id, status)| Verdict::new(id, status.clone()));
        let still = excused(verdicts.collect());
        let skipped = still.iter().filter(|it| matches!(it.status, Status::Skipped(_)));
        assert_eq!(skipped.map(|verdict| verdict.check).collect::<Vec<_>>(), counted);
    }

    fn needs(id: &str) -> Status {
        Status::Skipped(id.to_owned())
    }

    #[test]
    fn what_hangs_on_a_fault_does_not_count() {
        let fault = Status::Fault(Fault("no descriptors left".to_owned()));
        check(&[("a", fault), ("b", needs("a")), ("c", needs("b"))], &[]);
    }

    #[test]
    fn what_hangs_on_a_failure_counts() {
        let failed = Status::Failed(Failure::default());
        check(&[("a", failed), ("b", needs("a")), ("c", needs("b"))], &["b", "c"]);
    }
}
