//! Runs checks: all at the same time, each as soon as what it needs has passed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;

use crate::engine::check::Check;
use crate::engine::judge::{Settings, judge};
use crate::engine::payload::Shared;
use crate::engine::port;
use crate::engine::subject::Subject;
use crate::engine::verdict::{Bar, Status, Verdict};

/// A check that is to be run.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Which.
    pub check: &'static Check,
    /// The ids of the checks that must pass first. Those that are not planned are taken to hold.
    pub needs: Vec<String>,
}

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
    round.conclude()
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

    /// Returns the verdicts in the plan's order.
    fn conclude(mut self) -> Vec<Verdict> {
        self.put_off_repetitions();
        self.plan.iter().filter_map(|planned| self.verdicts.remove(planned.check.id)).collect()
    }

    /// Lets checks that failed for the same reason wait for the first of them: one cause is told
    /// once. A program that never gets so far keeps all of its checks waiting.
    fn put_off_repetitions(&mut self) {
        let mut firsts: Vec<(&'static str, Box<Bar>)> = Vec::new();
        for planned in self.plan {
            let Some(verdict) = self.verdicts.get_mut(planned.check.id) else { continue };
            let bar = verdict.failure().and_then(|failure| failure.bar.clone());
            let runs = |bar: &Bar| planned.check.programs.contains(&bar.program.as_str());
            let first = firsts.iter().find(|(_, first)| match &bar {
                Some(bar) => bar.program == first.program,
                None => first.from_the_start && runs(first),
            });
            match (first, bar) {
                (Some((id, _)), bar) if bar.is_some() || verdict.was_not_run() => {
                    *verdict = Verdict::new(verdict.check, Status::Skipped((*id).to_owned()));
                }
                (None, Some(bar)) => firsts.push((verdict.check, bar)),
                _ => {}
            }
        }
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
                Some(Status::Failed(failure)) if failure.is_set_apart => {}
                Some(_) => return Readiness::Never(need.clone()),
                None => ready = Readiness::NotYet,
            }
        }
        match self.meets_what_is_set_apart(planned) {
            Some(need) => Readiness::Never(need.to_owned()),
            None => ready,
        }
    }

    /// Returns the check whose cause comes up again here. The harness takes a cause only out of its
    /// own conversations, not out of those between two programs of a student.
    fn meets_what_is_set_apart(&self, planned: &Planned) -> Option<&'static str> {
        let programs = planned.check.programs;
        let is_about_one_of_them = |other: &&Planned| programs.contains(&other.check.programs[0]);
        let is_set_apart = |other: &&Planned| {
            let verdict = self.verdicts.get(other.check.id);
            verdict.and_then(Verdict::failure).is_some_and(|failure| failure.is_set_apart)
        };
        let mut others = self.plan.iter().filter(|_| programs.len() > 1);
        others
            .find(|other| is_about_one_of_them(other) && is_set_apart(other))
            .map(|it| it.check.id)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::check::check;
    use crate::engine::program::Program;
    use crate::engine::subject::CommandLine;
    use crate::engine::verdict::{Failure, Outcome};

    fn one(_: &Program) -> Outcome {
        Ok(())
    }
    fn two(_: &Program) -> Outcome {
        Ok(())
    }
    fn three(_: &Program) -> Outcome {
        Ok(())
    }

    fn both(_: &Program, _: &Program) -> Outcome {
        Ok(())
    }

    const CHECKS: [Check; 3] =
        [check!(flow, one, server), check!(flow, two, server), check!(flow, three, server)];

    fn barred(from_the_start: bool) -> Status {
        let bar = Bar { program: "server".to_owned(), from_the_start, unwritten: None };
        let failure = Failure::new("something", "nothing");
        Status::Failed(Failure { bar: Some(Box::new(bar)), ..failure })
    }

    /// Checks which checks wait for which in the end.
    #[track_caller]
    fn check(found: [Status; 3], waits_for: [Option<&str>; 3]) {
        static ALL: [Check; 3] = CHECKS;
        let plan = ALL.each_ref().map(|check| Planned { check, needs: Vec::new() });
        let made = CHECKS.map(|check| check.id).into_iter().zip(found);
        let verdicts = made.map(|(id, status)| (id, Verdict::new(id, status))).collect();
        let mut round = Round { plan: &plan, subjects: &[], verdicts };
        round.put_off_repetitions();
        let need = |id: &str| match &round.verdicts[id].status {
            Status::Skipped(need) => Some(need.clone()),
            _ => None,
        };
        let found = CHECKS.map(|check| need(check.id));
        assert_eq!(found.each_ref().map(Option::as_deref), waits_for);
    }

    #[track_caller]
    fn check_readiness(of_the_first: Failure, are_ready: [bool; 2]) {
        static ALL: [Check; 3] = CHECKS;
        static BOTH: Check = check!(together, both, client, server);
        let needs = vec!["one".to_owned()];
        let one = Planned { check: &ALL[0], needs: Vec::new() };
        let two = Planned { check: &ALL[1], needs };
        let plan = [one, two, Planned { check: &BOTH, needs: Vec::new() }];
        let verdicts = [("one", Verdict::new("one", Status::Failed(of_the_first)))].into();
        let subject =
            |name: &str| Arc::new(Subject::new(name, CommandLine::new([name]), None, None));
        let subjects = ["client", "server"].map(subject);
        let round = Round { plan: &plan, subjects: &subjects, verdicts };
        let found = [&plan[1], &plan[2]].map(|it| matches!(round.readiness(it), Readiness::Ready));
        assert_eq!(found, are_ready);
    }

    #[test]
    fn what_is_set_apart_keeps_only_checks_of_two_programs_waiting() {
        let failure = Failure::new("no greeting", "a greeting");
        check_readiness(failure.clone(), [false, true]);
        check_readiness(failure.set_apart(), [true, false]);
    }

    fn skipped() -> Status {
        Status::Skipped("two".to_owned())
    }

    #[test]
    fn all_checks_of_a_program_that_never_starts_wait_for_the_first() {
        check([barred(true), barred(true), skipped()], [None, Some("one"), Some("one")]);
        check([barred(true), Status::Passed, skipped()], [None, None, Some("one")]);
    }

    #[test]
    fn a_step_that_is_not_written_is_told_once_and_other_needs_stay() {
        check([Status::Passed, barred(false), skipped()], [None, None, Some("two")]);
        check([barred(false), skipped(), barred(false)], [None, Some("two"), Some("one")]);
    }
}
