//! The result of a grading: the verdicts with the rubric's points, and a grade or the reason why
//! there is none.

mod made;
mod paths;
mod places;
mod since;

use std::collections::BTreeMap;
use std::time::Duration;

use suite::{Status, Verdict};

use crate::exit;
use crate::explanations::NamedMistake;
use crate::rubric::FULL_MARKS;
use crate::surroundings::Surroundings;
use crate::unbuilt::Unbuilt;

pub(crate) use places::Places;
pub(crate) use since::Since;

/// Everything that a report is made of.
#[derive(Debug)]
pub(crate) struct Grading {
    pub(crate) practical: &'static str,
    pub(crate) title: String,
    pub(crate) submission: String,
    pub(crate) seed: u64,
    /// The verdicts, also those of a grading without a grade.
    pub(crate) rows: Vec<GradedRow>,
    pub(crate) outcome: Result<Grade, NoGrade>,
    /// Each root cause that was found, once.
    pub(crate) mistakes: Vec<NamedMistake>,
    pub(crate) unbuilt: Vec<Unbuilt>,
    pub(crate) duration: Duration,
    /// Which protections were in force.
    pub(crate) confinement: Vec<String>,
    /// What was left out of the submission or ignored.
    pub(crate) notes: Vec<String>,
    /// The command that grades the same programs again, without `--only`.
    pub(crate) command: String,
    /// Hints are shown up to this step.
    pub(crate) hint_steps: usize,
    /// The instructor's reports show what hidden checks saw, too.
    pub(crate) shows_hidden: bool,
    /// Each program's folder, relative to the top of the submission.
    pub(crate) folders: Vec<(String, String)>,
    /// Where each program's files are, for the reader.
    pub(crate) places: Places,
    /// Changes with any file of a program.
    #[cfg_attr(not(feature = "full"), allow(dead_code, reason = "only watch grades again"))]
    pub(crate) fingerprints: BTreeMap<String, u64>,
    /// These are not the programs in the practical's own folder.
    pub(crate) is_submission: bool,
    /// The branch that hands the practical in, if all checks of a student's own programs were run.
    pub(crate) hand_in: Option<String>,
    pub(crate) surroundings: Surroundings,
    /// What has changed since these programs were last graded here.
    pub(crate) since: Option<Since>,
}

/// The points of a grading in which every check was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grade {
    pub(crate) points: Points,
    /// The points of [`FULL_MARKS`] that pass.
    pub(crate) pass_mark: u32,
}

/// Why there is no grade. Reports show this as an error, never as a number of points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoGrade(pub(crate) String);

/// Points that were earned and that could be earned. What this system does not show does not count,
/// nor do faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Points {
    pub(crate) earned: u32,
    pub(crate) most: u32,
}

/// One check's row in the rubric, with its verdict.
#[derive(Debug)]
pub(crate) struct GradedRow {
    pub(crate) group: &'static str,
    pub(crate) program: &'static str,
    pub(crate) max_points: u32,
    pub(crate) claim: String,
    pub(crate) hints: Vec<String>,
    /// Why an unfinished skeleton passes this check.
    pub(crate) given: Option<String>,
    /// Students see that it was run, but not what it saw.
    pub(crate) hidden: bool,
    pub(crate) verdict: Verdict,
}

/// What to do first.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    Build(&'a Unbuilt),
    Mistake(&'a NamedMistake),
    /// A step that is not written yet.
    Step(&'a GradedRow),
    Check(&'a GradedRow),
}

impl Grading {
    /// Returns the status with which the command exits.
    pub(crate) fn exit_status(&self) -> u8 {
        match &self.outcome {
            Ok(grade) if grade.passed() => exit::PASSED,
            Ok(_) => exit::NOT_PASSED,
            Err(_) => exit::FAULT,
        }
    }

    pub(crate) fn passed(&self) -> bool {
        self.outcome.as_ref().is_ok_and(Grade::passed)
    }

    /// Returns the groups in the order of the report.
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

    /// Returns whether the reader of this grading may not see what a check saw.
    pub(crate) fn hides(&self, row: &GradedRow) -> bool {
        row.hidden && !self.shows_hidden
    }

    /// Returns the mistakes to show: without those that only hidden checks found, and without what
    /// hidden checks saw of the others.
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

    /// Returns the step that is not written yet because of which a check failed, and its place as
    /// one would type it.
    pub(crate) fn unwritten(&self, row: &GradedRow) -> Option<(String, String)> {
        let failure = row.verdict.failure().filter(|_| !self.hides(row))?;
        let (bar, unwritten) = (failure.bar.as_ref()?, failure.unwritten()?);
        let file = self.places.shown(&bar.program, &unwritten.file);
        Some((unwritten.step.clone(), format!("{file}:{}", unwritten.line)))
    }

    /// Returns the mistake that explains why this check failed.
    pub(crate) fn mistake_of(&self, id: &str) -> Option<&NamedMistake> {
        self.mistakes.iter().find(|mistake| mistake.checks.contains(&id))
    }

    /// Returns what to do first. The first failed check needs no other, and others may need it.
    pub(crate) fn next(&self) -> Option<Next<'_>> {
        if let Some(unbuilt) = self.unbuilt.first() {
            return Some(Next::Build(unbuilt));
        }
        let mut failed =
            self.rows.iter().filter(|row| matches!(row.verdict.status, Status::Failed(_)));
        let first = failed.find(|row| !self.hides(row))?;
        if self.unwritten(first).is_some() {
            return Some(Next::Step(first));
        }
        Some(self.mistake_of(first.verdict.check).map_or(Next::Check(first), Next::Mistake))
    }

    /// Returns the rows that count for the grade.
    pub(crate) fn counted_rows(&self) -> impl Iterator<Item = &GradedRow> {
        self.rows.iter().filter(|row| row.counts())
    }

    /// Returns whether bytes that came answer bytes that were sent, as the practical says.
    pub(crate) fn is_answer(&self) -> impl Fn(&[u8], &[u8]) -> bool {
        let practical = suite::practical(self.practical);
        move |sent, came| practical.is_some_and(|practical| practical.is_answer(sent, came))
    }

    /// Returns the command that repeats only this check.
    pub(crate) fn again(&self, id: &str) -> String {
        format!("{} --only {id} --seed {}", self.command, self.seed)
    }
}

impl Grade {
    /// Adds up the points, or says what could not be found out. Without any check there is no
    /// grade.
    pub(crate) fn of(rows: &[GradedRow], pass_mark: u32) -> Result<Self, NoGrade> {
        for GradedRow { verdict, .. } in rows {
            if let Status::Fault(fault) = &verdict.status {
                return Err(NoGrade(format!("{} could not be found out: {fault}", verdict.check)));
            }
        }
        if !rows.iter().any(GradedRow::counts) {
            let nothing = "this system can show nothing of what was asked for";
            return Err(NoGrade(nothing.to_owned()));
        }
        Ok(Self { points: Points::of(rows), pass_mark })
    }

    /// Returns whether the pass mark is reached, in proportion if not all checks were run.
    pub(crate) fn passed(&self) -> bool {
        self.points.earned * FULL_MARKS >= self.pass_mark * self.points.most
    }
}

impl Points {
    /// Adds up the points of these rows.
    pub(crate) fn of<'a>(rows: impl IntoIterator<Item = &'a GradedRow>) -> Self {
        let counted = rows.into_iter().filter(|row| row.counts());
        counted.fold(Self { earned: 0, most: 0 }, |sum, row| Self {
            earned: sum.earned + row.points(),
            most: sum.most + row.max_points,
        })
    }

    pub(crate) fn lost(&self) -> u32 {
        self.most - self.earned
    }
}

impl std::fmt::Display for Points {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.earned, self.most)
    }
}

impl GradedRow {
    /// Returns the points earned: only a passed check has any.
    pub(crate) fn points(&self) -> u32 {
        if self.verdict.status == Status::Passed { self.max_points } else { 0 }
    }

    /// Returns whether the row is part of the grade.
    pub(crate) fn counts(&self) -> bool {
        !matches!(self.verdict.status, Status::Unseen(_) | Status::Fault(_))
    }
}
