//! Runs checks: all at the same time, each as soon as what it needs has passed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;

use crate::engine::check::Check;
use crate::engine::judge::{Settings, judge};
use crate::engine::payload::Shared;
use crate::engine::port;
use crate::engine::subject::Subject;
use crate::engine::verdict::{Status, Verdict};

/// A check that is to be run.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Which.
    pub check: &'static Check,
    /// The ids of the checks that must pass first. Those that are not planned are taken to hold.
    pub needs: Vec<String>,
}

/// Runs what is planned and returns the verdicts in the plan's order; `told` hears each as it is
/// made. A check whose program is not among the subjects is unbuilt.
pub fn run(
    plan: &[Planned],
    subjects: &[Arc<Subject>],
    settings: &Settings,
    mut told: impl FnMut(&Verdict),
) -> Vec<Verdict> {
    raise_descriptor_limit();
    port::prepare();
    let mut round = Round { plan, subjects, verdicts: BTreeMap::new() };
    let mut waiting: Vec<&Planned> = plan.iter().collect();
    let (done, arrivals) = channel();
    let large = Shared::default();
    std::thread::scope(|scope| {
        let mut running = 0;
        while !waiting.is_empty() || running > 0 {
            waiting.retain(|&planned| match round.readiness(planned) {
                Readiness::Ready if running < settings.jobs => {
                    let (done, large) = (done.clone(), &large);
                    let work =
                        move || _ = done.send(judge(planned.check, subjects, settings, large));
                    match std::thread::Builder::new().spawn_scoped(scope, work) {
                        Ok(_) => running += 1,
                        Err(error) => round.settle(not_started(planned.check, error), &mut told),
                    }
                    false
                }
                Readiness::Ready | Readiness::NotYet => true,
                Readiness::Never(need) => {
                    round.settle(Verdict::new(planned.check.id, Status::Skipped(need)), &mut told);
                    false
                }
            });
            // Where nothing runs, what was skipped may let others be skipped; needs have no
            // circles.
            if let Some(Ok(verdict)) = (running > 0).then(|| arrivals.recv()) {
                running -= 1;
                round.settle(verdict, &mut told);
            }
        }
    });
    plan.iter().filter_map(|planned| round.verdicts.remove(planned.check.id)).collect()
}

/// What is known in the middle of a run.
struct Round<'a> {
    plan: &'a [Planned],
    subjects: &'a [Arc<Subject>],
    verdicts: BTreeMap<&'static str, Verdict>,
}

impl Round<'_> {
    fn settle(&mut self, verdict: Verdict, told: &mut impl FnMut(&Verdict)) {
        told(&verdict);
        self.verdicts.insert(verdict.check, verdict);
    }

    fn readiness(&self, planned: &Planned) -> Readiness {
        if planned
            .check
            .programs
            .iter()
            .any(|name| !self.subjects.iter().any(|subject| subject.name() == *name))
        {
            return Readiness::Ready; // to be reported as unbuilt, even if a need did not pass
        }
        let mut ready = Readiness::Ready;
        for need in planned
            .needs
            .iter()
            .filter(|need| self.plan.iter().any(|other| other.check.id == **need))
        {
            match self.verdicts.get(need.as_str()).map(|verdict| &verdict.status) {
                Some(Status::Passed | Status::Unseen(_)) => {}
                Some(_) => return Readiness::Never(need.clone()),
                None => ready = Readiness::NotYet,
            }
        }
        ready
    }
}

enum Readiness {
    Ready,
    NotYet,
    Never(String),
}

/// Returns the verdict of a check for which the machine has no thread.
fn not_started(check: &'static Check, error: std::io::Error) -> Verdict {
    Verdict::new(check.id, Status::Fault(error.into()))
}

/// Raises the limit on descriptors: one check may need hundreds of connections, and several checks
/// run at the same time.
fn raise_descriptor_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        // macOS says "unlimited" and means OPEN_MAX: ask for no more than is enough.
        let wanted = limit.maximum.map_or(10_240, |most| most.min(65_536));
        if limit.current.is_some_and(|current| current < wanted) {
            _ = setrlimit(
                Resource::Nofile,
                Rlimit { current: Some(wanted), maximum: limit.maximum },
            );
        }
    }
}
