//! From programs to a grade: runs the checks, and puts the rubric's points to the verdicts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use suite::{Confinement, Errands, Limits, Planned, Scratch, Settings, Status, Verdict, Wanted};

use crate::build::{CompileErrors, Programs};
use crate::explanations::NamedMistake;
use crate::remembered::Since;
use crate::repository;
use crate::request::{GradeRequest, Origin};
use crate::rubric::{FULL_MARKS, Row, Rubric};
use crate::submission::{Source, Sources};
use crate::surroundings::Surroundings;
use crate::terminal::Progress;

/// Everything that a report is made of.
#[derive(Debug)]
pub(crate) struct Grade {
    pub(crate) practical: &'static str,
    pub(crate) title: String,
    pub(crate) submission: String,
    pub(crate) seed: u64,
    pub(crate) pass_mark: u32,
    pub(crate) rows: Vec<GradedRow>,
    /// Each root cause that was made out, once.
    pub(crate) mistakes: Vec<NamedMistake>,
    pub(crate) compile_errors: Vec<CompileErrors>,
    pub(crate) duration: Duration,
    /// Which protections were in force.
    pub(crate) confinement: Vec<String>,
    /// What was left out of the submission, and what was changed in it that is not the student's.
    pub(crate) notes: Vec<String>,
    /// The command that grades the same thing again, without what picks checks.
    pub(crate) command: String,
    /// Hints are shown up to this step.
    pub(crate) hint_steps: usize,
    /// What hidden checks saw is shown, too: to the instructor.
    pub(crate) shows_hidden: bool,
    /// Each program's folder, as seen from the top of what was handed in.
    pub(crate) folders: Vec<(String, String)>,
    /// What broke the grading off before there was a verdict.
    pub(crate) broken_off: Option<String>,
    pub(crate) surroundings: Surroundings,
    /// What has changed since these programs were last graded here.
    pub(crate) since: Option<Since>,
}

/// One check's row in the rubric, with its verdict.
#[derive(Debug)]
pub(crate) struct GradedRow {
    pub(crate) group: &'static str,
    pub(crate) program: &'static str,
    pub(crate) max_points: u32,
    pub(crate) claim: String,
    pub(crate) hints: Vec<String>,
    /// What the skeleton brings along, where it passes this check unfinished.
    pub(crate) given: Option<String>,
    /// The instructor's alone: students see that it was run, and not what it saw.
    pub(crate) hidden: bool,
    pub(crate) verdict: Verdict,
}

/// Where programs are built and run: known, and tried, before anything of a submission is touched.
#[derive(Debug)]
pub(crate) struct Premises {
    launcher: PathBuf,
    scratch: Scratch,
    pub(crate) confinement: Arc<Confinement>,
    /// What compilers may use.
    pub(crate) build_limits: Limits,
}

impl Premises {
    pub(crate) fn prepare(confine: Wanted) -> anyhow::Result<Self> {
        let within = std::env::temp_dir();
        let why = |error| {
            suite::Fault(format!(
                "no temporary folder can be made in {}: {error}",
                within.display()
            ))
        };
        let scratch = Scratch::new().map_err(why)?;
        let launcher = repository::this_executable()?;
        let confinement = Confinement::begin(confine, &launcher, scratch.path())?;
        Ok(Self { launcher, scratch, confinement, build_limits: Limits::BUILD })
    }

    /// Where compilers run.
    pub(crate) fn errands(&self) -> Errands<'_> {
        Errands {
            launcher: &self.launcher,
            scratch: self.scratch.path(),
            confinement: &self.confinement,
        }
    }
}

/// What is to be done first.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// Make this program compile.
    Compile(&'a CompileErrors),
    Mistake(&'a NamedMistake),
    Check(&'a GradedRow),
}

impl Next<'_> {
    /// In a sentence or two.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Compile(errors) if errors.what == "does not compile" => {
                format!("make {} compile.", errors.program)
            }
            Self::Compile(errors) => format!("{} {}.", errors.program, errors.what),
            Self::Mistake(mistake) => format!("{}. {}", mistake.id, mistake.r#try),
            Self::Check(row) => format!("{}. {}", row.verdict.check, row.claim),
        }
    }

    /// The command that says more about it.
    pub(crate) fn explained_by(&self) -> Option<String> {
        let word = match self {
            Self::Compile(_) => return None,
            Self::Mistake(mistake) => mistake.id,
            Self::Check(row) => row.verdict.check,
        };
        Some(format!("cargo xtask explain {word}"))
    }
}

/// The verdicts of a plan, and how long they took.
pub(crate) struct Verdicts {
    pub(crate) list: Vec<Verdict>,
    pub(crate) took: Duration,
    /// Which protections were in force.
    pub(crate) confinement: Vec<String>,
}

/// Runs the checks.
pub(crate) fn judge(
    plan: &[Planned],
    programs: &Programs,
    request: &GradeRequest,
    premises: &Premises,
    progress: &Progress,
) -> anyhow::Result<Verdicts> {
    let settings = Settings {
        seed: request.seed,
        jobs: request.jobs,
        launcher: premises.launcher.clone(),
        scratch: premises.scratch.path().to_owned(),
        confinement: premises.confinement.clone(),
    };
    progress.checking(plan.len());
    let began = Instant::now();
    let list = suite::run(plan, &programs.subjects, &settings, |_| progress.checked());
    Ok(Verdicts { list, took: began.elapsed(), confinement: settings.confinement.statement() })
}

impl Grade {
    pub(crate) fn new(
        rubric: &Rubric,
        verdicts: Verdicts,
        programs: &Programs,
        sources: &Sources,
        request: &GradeRequest,
    ) -> Self {
        let diagnoses = suite::diagnose(rubric.practical, &verdicts.list);
        let rows = verdicts.list.into_iter().filter_map(|verdict| {
            let row = rubric.row(verdict.check)?;
            let graded = GradedRow::new(row, verdict);
            let is_skeletons = request.origin == Origin::Practical && request.programs.is_empty();
            Some(GradedRow { given: graded.given.filter(|_| is_skeletons), ..graded })
        });
        Self {
            practical: rubric.practical.name,
            title: rubric.title.clone(),
            submission: sources.submission.clone(),
            seed: request.seed,
            pass_mark: rubric.pass_mark,
            rows: rows.collect(),
            mistakes: diagnoses
                .into_iter()
                .map(|diagnosis| rubric.explanations.name(diagnosis))
                .collect(),
            compile_errors: programs.errors.clone(),
            duration: verdicts.took,
            confinement: verdicts.confinement,
            notes: sources.notes.clone(),
            command: command(request),
            hint_steps: request.hint,
            shows_hidden: request.show_hidden,
            folders: sources
                .programs
                .iter()
                .filter_map(|source| folder(source, sources, request))
                .collect(),
            broken_off: None,
            surroundings: Surroundings::default(),
            since: None,
        }
    }

    /// What is there to report where nothing was graded.
    pub(crate) fn broken_off(
        request: &GradeRequest,
        surroundings: Surroundings,
        error: &anyhow::Error,
    ) -> Self {
        let practical =
            suite::practical(&request.practical).map_or("unknown", |practical| practical.name);
        Self {
            practical,
            title: request.practical.clone(),
            submission: String::new(),
            seed: request.seed,
            pass_mark: FULL_MARKS,
            rows: Vec::new(),
            mistakes: Vec::new(),
            compile_errors: Vec::new(),
            duration: Duration::ZERO,
            confinement: Vec::new(),
            notes: Vec::new(),
            command: command(request),
            hint_steps: request.hint,
            shows_hidden: request.show_hidden,
            folders: Vec::new(),
            broken_off: Some(format!("{error:#}")),
            surroundings,
            since: None,
        }
    }

    /// The points that were earned.
    pub(crate) fn score(&self) -> u32 {
        self.rows.iter().map(GradedRow::points).sum()
    }

    /// The points that could be earned: without what this system does not show, and without faults.
    pub(crate) fn max_score(&self) -> u32 {
        self.rows.iter().filter(|row| row.counts()).map(|row| row.max_points).sum()
    }

    /// The pass mark is reached, in proportion where not all checks were run.
    pub(crate) fn passed(&self) -> bool {
        !self.has_faults() && self.score() * FULL_MARKS >= self.pass_mark * self.max_score()
    }

    /// Something could not be found out; nothing at all checked is a fault, too.
    pub(crate) fn has_faults(&self) -> bool {
        self.fault().is_some()
    }

    /// Why this is no grade, where it is none: in a report it is an error, and no number of points.
    pub(crate) fn fault(&self) -> Option<String> {
        let mut faults = self.rows.iter().filter_map(|row| match &row.verdict.status {
            Status::Fault(fault) => {
                Some(format!("{} could not be found out: {fault}", row.verdict.check))
            }
            _ => None,
        });
        let nothing = || "nothing that was asked for can be seen on this system".to_owned();
        let first = self.broken_off.clone().or_else(|| faults.next());
        first.or_else(|| (!self.rows.iter().any(GradedRow::counts)).then(nothing))
    }

    /// The groups in the report's order.
    pub(crate) fn groups(&self) -> Vec<(&'static str, Vec<&GradedRow>)> {
        let mut groups: Vec<(&str, Vec<&GradedRow>)> = Vec::new();
        for row in &self.rows {
            match groups.last_mut() {
                Some((group, rows)) if *group == row.group => rows.push(row),
                _ => groups.push((row.group, vec![row])),
            }
        }
        groups
    }

    /// What this check saw is not for everyone who reads this grade.
    pub(crate) fn hides(&self, row: &GradedRow) -> bool {
        row.hidden && !self.shows_hidden
    }

    /// The mistakes that are told: not those of which only hidden checks know, nor what these have
    /// seen of the others.
    pub(crate) fn mistakes_to_tell(&self) -> Vec<NamedMistake> {
        let hidden = |id: &&'static str| {
            self.rows.iter().any(|row| self.hides(row) && row.verdict.check == *id)
        };
        let told = self.mistakes.iter().filter(|mistake| !mistake.checks.iter().all(hidden));
        told.map(|mistake| {
            let mut told = mistake.clone();
            told.checks.retain(|id| !hidden(id));
            if told.checks.len() < mistake.checks.len() {
                told.because = format!("{} failed", told.checks.join(", "));
            }
            told
        })
        .collect()
    }

    /// The mistake that explains why this check failed.
    pub(crate) fn mistake_of(&self, id: &str) -> Option<&NamedMistake> {
        self.mistakes.iter().find(|mistake| mistake.checks.contains(&id))
    }

    /// What to do first: the other checks may need it, and it is never skipped for another's sake.
    pub(crate) fn next(&self) -> Option<Next<'_>> {
        if let Some(errors) = self.compile_errors.first() {
            return Some(Next::Compile(errors));
        }
        let mut failed =
            self.rows.iter().filter(|row| matches!(row.verdict.status, Status::Failed(_)));
        let first = failed.find(|row| !self.hides(row))?;
        Some(self.mistake_of(first.verdict.check).map_or(Next::Check(first), Next::Mistake))
    }

    /// The command that repeats just this check.
    pub(crate) fn again(&self, id: &str) -> String {
        format!("{} --only {id} --seed {}", self.command, self.seed)
    }
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

    /// Points are for what was seen to hold.
    pub(crate) fn points(&self) -> u32 {
        if self.verdict.status == Status::Passed { self.max_points } else { 0 }
    }

    /// Whether the row is part of the grade at all.
    pub(crate) fn counts(&self) -> bool {
        !matches!(self.verdict.status, Status::Unseen(_) | Status::Fault(_))
    }
}

/// A crate's folder, relative to the top of the submission.
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

/// The request as it could be typed.
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
