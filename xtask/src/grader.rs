//! The pipeline, which every command that grades walks:
//!
//! ```text
//! submission ─stage─▶ sources ─build─▶ programs ─check─▶ verdicts ─rubric─▶ grading
//! ```
//!
//! A [`Grader`] is made once, asked as often as needed, and shared by threads.

use anyhow::Context;
use suite::{Budget, Limits, Planned, Wanted};

use crate::build::{self, Programs};
use crate::check::{self, Verdicts};
use crate::grade::Grading;
use crate::known::{Due, Known};
use crate::repository::Repository;
use crate::request::GradeRequest;
use crate::rubric::Rubric;
use crate::sandbox::Sandbox;
use crate::submission::{self, Sources};
use crate::terminal::Progress;

/// Everything that gradings share.
pub(crate) struct Grader {
    pub(crate) repository: Repository,
    pub(crate) sandbox: Sandbox,
    /// Makes the display of one grading's progress.
    progress: fn() -> Progress,
    /// Removes the copies of a submission after its grading.
    forgets: bool,
}

impl Grader {
    /// Prepares the sandbox and tries it.
    pub(crate) fn new(repository: Repository, confine: Wanted) -> anyhow::Result<Self> {
        let sandbox = Sandbox::prepare(&repository, confine)?;
        Ok(Self { repository, sandbox, progress: Progress::new, forgets: false })
    }

    /// Shows no progress, for many gradings at the same time.
    pub(crate) fn silent(self) -> Self {
        Self { progress: Progress::silent, ..self }
    }

    /// Gives compilers these limits.
    #[cfg_attr(
        not(target_os = "linux"),
        allow(dead_code, reason = "for attacks, which are Linux's")
    )]
    pub(crate) fn with_build_limits(mut self, limits: Limits) -> Self {
        self.sandbox.build_limits = limits;
        self
    }

    /// Keeps nothing of a submission, for those that are graded once.
    #[cfg_attr(
        not(target_os = "linux"),
        allow(dead_code, reason = "for attacks, which are Linux's")
    )]
    pub(crate) fn forgetting(self) -> Self {
        Self { forgets: true, ..self }
    }

    /// Grades all that is asked for.
    pub(crate) fn grade(&self, rubric: &Rubric, request: &GradeRequest) -> anyhow::Result<Grading> {
        let grading = self.grade_changes(rubric, request, &Known::default())?;
        grading.context("the plan has no program")
    }

    /// Runs the checks that an earlier grading does not answer. Returns `None` if no program has
    /// changed.
    pub(crate) fn grade_changes(
        &self,
        rubric: &Rubric,
        request: &GradeRequest,
        known: &Known,
    ) -> anyhow::Result<Option<Grading>> {
        let progress = (self.progress)();
        let sandbox = self.sandbox.within(Budget::begin(request.budget));

        let plan = rubric.plan(&request.only)?;
        let sources = self.stage(rubric, &plan, request)?;
        let Some(due) = known.due(&plan, &sources) else { return Ok(None) };
        let programs = build::programs(&sources, &sandbox, &progress)?;
        let verdicts = check_due(due, &programs, request, &sandbox, &progress);
        let grading = Grading::new(rubric, request, &sources, programs.unbuilt, verdicts);

        if self.forgets {
            submission::forget(&sources)?;
        }
        Ok(Some(grading))
    }

    /// Finds and copies the programs that a plan runs.
    pub(crate) fn stage(
        &self,
        rubric: &Rubric,
        plan: &[Planned],
        request: &GradeRequest,
    ) -> anyhow::Result<Sources> {
        submission::stage(&self.repository, rubric, plan, request, self.sandbox.scratch.path())
    }
}

/// Runs the checks that are due.
fn check_due(
    due: Due,
    programs: &Programs,
    request: &GradeRequest,
    sandbox: &Sandbox,
    progress: &Progress,
) -> Verdicts {
    let fresh = check::run(&due.checks, &programs.subjects, request, sandbox, progress);
    Verdicts { list: due.complete(fresh.list), ..fresh }
}
