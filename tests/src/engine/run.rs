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
        let start = |check: &'static Check| {
            let (done, large) = (done.clone(), &large);
            let work = move || _ = done.send(judge(check, subjects, settings, large));
            std::thread::Builder::new().spawn_scoped(scope, work).map(drop)
        };
        let mut running = 0;
        while !waiting.is_empty() || running > 0 {
            waiting.retain(|&planned| {
                match round.readiness(planned) {
                    Readiness::Ready if running < settings.jobs => match start(planned.check) {
                        Ok(()) => running += 1,
                        Err(error) => round.end(planned, Status::Fault(error.into()), &mut told),
                    },
                    Readiness::Ready | Readiness::NotYet => return true,
                    Readiness::Never(need) => round.end(planned, Status::Skipped(need), &mut told),
                }
                false
            });
            // A skipped check may let others be skipped where none runs; needs have no circles.
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

    /// Settles a check that was not run.
    fn end(&mut self, planned: &Planned, status: Status, told: &mut impl FnMut(&Verdict)) {
        self.settle(Verdict::new(planned.check.id, status), told);
    }

    fn readiness(&self, planned: &Planned) -> Readiness {
        let is_there = |name: &&str| self.subjects.iter().any(|subject| subject.name() == *name);
        if !planned.check.programs.iter().all(is_there) {
            return Readiness::Ready; // to be called unbuilt, whatever it needs
        }
        let mut ready = Readiness::Ready;
        let is_planned = |need: &&String| self.plan.iter().any(|other| other.check.id == **need);
        for need in planned.needs.iter().filter(is_planned) {
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

/// Raises the limit on descriptors: one check has hundreds of connections, and several run at once.
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
