//! From programs to verdicts: runs the suite's checks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use suite::{Budget, Planned, Settings, Subject, Verdict};

use crate::request::GradeRequest;
use crate::sandbox::Sandbox;
use crate::terminal::Progress;

/// What the checks found out.
#[derive(Debug)]
pub(crate) struct Verdicts {
    pub(crate) list: Vec<Verdict>,
    pub(crate) took: Duration,
    /// Which protections were in force.
    pub(crate) confinement: Vec<String>,
}

/// Runs the checks of a plan.
pub(crate) fn run(
    plan: &[Planned],
    subjects: &[Arc<Subject>],
    request: &GradeRequest,
    sandbox: &Sandbox,
    progress: &Progress,
) -> Verdicts {
    let settings = Settings {
        seed: request.seed,
        jobs: request.jobs,
        launcher: sandbox.launcher.clone(),
        scratch: sandbox.scratch.path().to_owned(),
        confinement: sandbox.confinement.clone(),
        budget: sandbox.budget.unwrap_or_else(|| Budget::begin(request.budget)),
    };
    progress.checking(plan.len());
    let began = Instant::now();
    let list = suite::run(plan, subjects, &settings, |_| progress.checked());
    Verdicts { list, took: began.elapsed(), confinement: settings.confinement.statement() }
}
