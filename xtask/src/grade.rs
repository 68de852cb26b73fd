//! What came of a grading: the rubric's points put to the verdicts, or the reason why there is no
//! grade.

mod made;
mod since;

use std::collections::BTreeMap;
use std::time::Duration;

use suite::{Status, Verdict};

use crate::exit;
use crate::explanations::NamedMistake;
use crate::rubric::FULL_MARKS;
use crate::surroundings::Surroundings;
use crate::unbuilt::Unbuilt;

pub(crate) use since::Since;

/// Everything that a report is made of.
#[derive(Debug)]
pub(crate) struct Grading {
    pub(crate) practical: &'static str,
    pub(crate) title: String,
    pub(crate) submission: String,
    pub(crate) seed: u64,
    /// What was found out, also where that is too little for a grade.
    pub(crate) rows: Vec<GradedRow>,
    pub(crate) outcome: Result<Grade, NoGrade>,
    /// Each root cause that was made out, once.
    pub(crate) mistakes: Vec<NamedMistake>,
    pub(crate) unbuilt: Vec<Unbuilt>,
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
    /// Changes with any file of a program.
    #[cfg_attr(not(feature = "full"), allow(dead_code, reason = "only watch grades again"))]
    pub(crate) fingerprints: BTreeMap<String, u64>,
    pub(crate) surroundings: Surroundings,
    /// What has changed since these programs were last graded here.
    pub(crate) since: Option<Since>,
}

/// The points of a grading in which every check could be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grade {
    pub(crate) points: Points,
    /// Of [`FULL_MARKS`].
    pub(crate) pass_mark: u32,
}

/// Why there is no grade. A report says it as an error, and as no number of points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoGrade(pub(crate) String);

/// Points that were earned, and that could be earned: without what this system does not show, and
/// without faults.
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
    /// What the skeleton brings along, where it passes this check unfinished.
    pub(crate) given: Option<String>,
    /// The instructor's alone: students see that it was run, and not what it saw.
    pub(crate) hidden: bool,
    pub(crate) verdict: Verdict,
}

/// What is to be done first.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    Build(&'a Unbuilt),
    Mistake(&'a NamedMistake),
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
        if let Some(unbuilt) = self.unbuilt.first() {
            return Some(Next::Build(unbuilt));
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

impl Grade {
    /// Adds up the points, or says what could not be found out; nothing at all checked is no grade,
    /// either.
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

    /// The pass mark is reached, in proportion where not all checks were run.
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
    /// Points are for what was seen to hold.
    pub(crate) fn points(&self) -> u32 {
        if self.verdict.status == Status::Passed { self.max_points } else { 0 }
    }

    /// Whether the row is part of the grade at all.
    pub(crate) fn counts(&self) -> bool {
        !matches!(self.verdict.status, Status::Unseen(_) | Status::Fault(_))
    }
}
