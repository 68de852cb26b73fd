//! How a grading is made.

use std::collections::BTreeMap;
use std::time::Duration;

use suite::Verdict;

use super::{Grade, GradedRow, Grading, NoGrade};
use crate::check::Verdicts;
use crate::request::{GradeRequest, Origin};
use crate::rubric::{Row, Rubric};
use crate::submission::{Source, Sources};
use crate::surroundings::Surroundings;
use crate::unbuilt::Unbuilt;

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
        let rows = rows(rubric, request, verdicts.list);
        let folders = sources.programs.iter().filter_map(|source| folder(source, sources, request));
        Self {
            practical: rubric.practical.name,
            title: rubric.title.clone(),
            submission: sources.submission.clone(),
            outcome: Grade::of(&rows, rubric.pass_mark),
            rows,
            mistakes: diagnoses.into_iter().map(|found| rubric.explanations.name(found)).collect(),
            unbuilt,
            duration: verdicts.took,
            confinement: verdicts.confinement,
            notes: sources.notes.clone(),
            folders: folders.collect(),
            fingerprints: sources.fingerprints(),
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
            fingerprints: BTreeMap::new(),
            surroundings: Surroundings::default(),
            since: None,
        }
    }
}

fn rows(rubric: &Rubric, request: &GradeRequest, verdicts: Vec<Verdict>) -> Vec<GradedRow> {
    let is_skeletons = request.origin == Origin::Practical && request.programs.is_empty();
    let graded = |verdict: Verdict| {
        let graded = GradedRow::new(rubric.row(verdict.check)?, verdict);
        Some(GradedRow { given: graded.given.filter(|_| is_skeletons), ..graded })
    };
    verdicts.into_iter().filter_map(graded).collect()
}

impl GradedRow {
    fn new(row: &Row, verdict: Verdict) -> Self {
        Self {
            group: row.check.group,
            program: row.check.programs[0],
            max_points: row.points,
            claim: row.claim.clone(),
            hints: row.hints.clone(),
            given: row.given.clone(),
            hidden: row.hidden,
            verdict,
        }
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
