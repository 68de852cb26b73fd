//! Runs checks: all at the same time, each as soon as what it needs has passed. Hidden checks run
//! after all others.

use std::sync::Arc;
use std::sync::mpsc::channel;

use crate::engine::check::Check;
use crate::engine::judge::{Settings, judge};
use crate::engine::payload::Shared;
use crate::engine::port;
use crate::engine::round::{Planned, Round};
use crate::engine::subject::Subject;
use crate::engine::verdict::{Status, Verdict};

/// Runs what is planned and returns the verdicts in the plan's order; `told` hears each as it is
/// made. Which check a skipped one waits for is certain only at the end. A check whose program is
/// not among the subjects is unbuilt.
pub fn run(
    plan: &[Planned],
    subjects: &[Arc<Subject>],
    settings: &Settings,
    mut told: impl FnMut(&Verdict),
) -> Vec<Verdict> {
    raise_descriptor_limit();
    port::prepare();
    let mut round = Round::new(plan, subjects, settings.jobs, settings.budget);
    let (done, arrivals) = channel();
    let large = Shared::default();
    std::thread::scope(|scope| {
        let start = |check: &'static Check| {
            let (done, large) = (done.clone(), &large);
            let work = move || _ = done.send(judge(check, subjects, settings, large));
            std::thread::Builder::new().spawn_scoped(scope, work).map(drop)
        };
        loop {
            while let Some(planned) = round.next(&mut told) {
                if let Err(error) = start(planned.check) {
                    let fault = Status::Fault(error.into());
                    round.take(Verdict::new(planned.check.id, fault), &mut told);
                }
            }
            if !round.is_running() {
                break;
            }
            arrivals.iter().take(1).for_each(|verdict| round.take(verdict, &mut told));
        }
    });
    round.conclude()
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
