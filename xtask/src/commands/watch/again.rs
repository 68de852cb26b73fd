//! One more grading: runs the checks of what has changed and keeps the other verdicts.

use std::time::Instant;

use crate::grade::Grading;
use crate::grader::Grader;
use crate::known::Known;
use crate::request::GradeRequest;
use crate::{remembered, repository, rubric};

/// What all gradings of a session share.
pub(super) struct Watched {
    pub(super) grader: Grader,
    pub(super) request: GradeRequest,
}

/// The result of one grading.
pub(super) struct Outcome {
    /// What the next grading need not find out again.
    pub(super) known: Known,
    pub(super) came: Came,
    pub(super) begun: Begun,
}

/// When a grading began, and why.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    /// The time of the save that it answers, or of the key.
    pub(super) at: Instant,
    pub(super) by_save: bool,
}

pub(super) enum Came {
    Grading(Box<Grading>),
    /// Nothing could be graded, as when a file is gone for a moment.
    Error(String),
    /// No program has changed.
    Nothing,
}

impl Watched {
    pub(super) fn prepare(request: &GradeRequest) -> anyhow::Result<Self> {
        let repository = repository::find()?;
        rubric::read(&repository, &request.practical)?.plan(&request.only)?;
        let grader = Grader::new(repository, request.confine)?;
        Ok(Self { grader, request: request.clone() })
    }

    pub(super) fn grade(&self, known: Known, begun: Begun) -> Outcome {
        let (known, came) = match self.try_grade(&known) {
            Ok(Some(grading)) => {
                let now = Known::of(&grading);
                (now, Came::Grading(Box::new(remembered::compared(grading))))
            }
            Ok(None) => (known, Came::Nothing),
            Err(error) => (Known::default(), Came::Error(format!("{error:#}"))),
        };
        Outcome { known, came, begun }
    }

    fn try_grade(&self, known: &Known) -> anyhow::Result<Option<Grading>> {
        let rubric = rubric::read(&self.grader.repository, &self.request.practical)?;
        self.grader.grade_changes(&rubric, &self.request, known)
    }
}
