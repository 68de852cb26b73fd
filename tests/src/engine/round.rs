//! Which check of a run is next, and what becomes of those that are never run.
//!
//! A check that ended in a fault is repeated once, alone: what happened to the machine meanwhile
//! may be over, and no other program is there to cause it again. A second fault stays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::budget::Budget;
use crate::engine::check::Check;
use crate::engine::subject::Subject;
use crate::engine::verdict::{Bar, Failure, Status, Verdict};

/// A check that is to be run.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Which.
    pub check: &'static Check,
    /// The ids of the checks that must pass first. Those that are not planned are taken to hold.
    pub needs: Vec<String>,
    /// Whether it is the instructor's alone. It runs when all others have ended: what it sends can
    /// then reach no evidence of theirs.
    pub hidden: bool,
}

/// What is known in the middle of a run.
pub(super) struct Round<'a> {
    plan: &'a [Planned],
    subjects: &'a [Arc<Subject>],
    /// At most this many checks run at the same time.
    jobs: usize,
    /// The time in which all of them must be done.
    budget: Budget,
    verdicts: BTreeMap<&'static str, Verdict>,
    /// The checks that were not started yet.
    waiting: Vec<&'a Planned>,
    running: usize,
    /// The checks that ended in a fault and are to be repeated.
    faulted: Vec<&'a Planned>,
    repeated: BTreeSet<&'static str>,
    /// Whether the check that runs is repeated, and so runs alone.
    is_alone: bool,
}

impl<'a> Round<'a> {
    pub(super) fn new(
        plan: &'a [Planned],
        subjects: &'a [Arc<Subject>],
        jobs: usize,
        budget: Budget,
    ) -> Self {
        Self {
            plan,
            subjects,
            jobs,
            budget,
            verdicts: BTreeMap::new(),
            waiting: plan.iter().collect(),
            running: 0,
            faulted: Vec::new(),
            repeated: BTreeSet::new(),
            is_alone: false,
        }
    }

    /// Returns the check to start now. Settles those that cannot run any more.
    pub(super) fn next(&mut self, told: &mut impl FnMut(&Verdict)) -> Option<&'a Planned> {
        self.settle_what_never_runs(told);
        if self.budget.is_over() {
            self.settle_what_is_late(told);
        }
        if self.is_alone || self.running >= self.jobs {
            return None;
        }
        let ready = |planned: &&Planned| matches!(self.readiness(planned), Readiness::Ready);
        let next = match self.waiting.iter().position(ready) {
            Some(at) => self.waiting.remove(at),
            None => self.next_to_repeat()?,
        };
        self.running += 1;
        Some(next)
    }

    /// Takes what came of a check that was started.
    pub(super) fn take(&mut self, verdict: Verdict, told: &mut impl FnMut(&Verdict)) {
        self.running -= 1;
        self.is_alone = false;
        let planned = self.plan.iter().find(|planned| planned.check.id == verdict.check);
        let is_first_fault =
            matches!(verdict.status, Status::Fault(_)) && !self.repeated.contains(verdict.check);
        match planned.filter(|_| is_first_fault) {
            Some(planned) => self.faulted.push(planned),
            None => self.settle(verdict, told),
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.running > 0
    }

    fn next_to_repeat(&mut self) -> Option<&'a Planned> {
        if self.is_running() || self.faulted.is_empty() {
            return None;
        }
        let planned = self.faulted.remove(0);
        self.repeated.insert(planned.check.id);
        self.is_alone = true;
        Some(planned)
    }

    /// Skips the checks whose needs have not passed, and those that need such a check.
    fn settle_what_never_runs(&mut self, told: &mut impl FnMut(&Verdict)) {
        let never = |round: &Self, planned: &Planned| match round.readiness(planned) {
            Readiness::Never(need) => Some(Status::Skipped(need)),
            Readiness::Ready | Readiness::NotYet => None,
        };
        let mut at = 0;
        while let Some(planned) = self.waiting.get(at) {
            match never(self, planned) {
                Some(status) => {
                    let id = self.waiting.remove(at).check.id;
                    self.settle(Verdict::new(id, status), told);
                    at = 0; // it may be what another one needs
                }
                None => at += 1,
            }
        }
    }

    /// Fails what has not begun by the end of the time. What needs it is skipped.
    fn settle_what_is_late(&mut self, told: &mut impl FnMut(&Verdict)) {
        while !self.faulted.is_empty() || !self.waiting.is_empty() {
            let late = match self.faulted.pop() {
                Some(faulted) => faulted,
                None => self.waiting.remove(0),
            };
            let status = match self.is_built(late) {
                true => Status::Failed(Failure::out_of_time(self.budget.whole(), "began")),
                false => Status::Unbuilt,
            };
            self.settle(Verdict::new(late.check.id, status), told);
            self.settle_what_never_runs(told);
        }
    }

    fn settle(&mut self, verdict: Verdict, told: &mut impl FnMut(&Verdict)) {
        told(&verdict);
        self.verdicts.insert(verdict.check, verdict);
    }

    /// Returns the verdicts in the plan's order.
    pub(super) fn conclude(mut self) -> Vec<Verdict> {
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

    fn is_built(&self, planned: &Planned) -> bool {
        let is_there = |name: &&str| self.subjects.iter().any(|subject| subject.name() == *name);
        planned.check.programs.iter().all(is_there)
    }

    fn readiness(&self, planned: &Planned) -> Readiness {
        if !self.is_built(planned) {
            return Readiness::Ready; // to be called unbuilt, whatever it needs
        }
        let mut ready = match planned.hidden && !self.shown_ones_have_ended() {
            true => Readiness::NotYet,
            false => Readiness::Ready,
        };
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

    fn shown_ones_have_ended(&self) -> bool {
        let has_ended = |planned: &Planned| self.verdicts.contains_key(planned.check.id);
        self.plan.iter().all(|planned| planned.hidden || has_ended(planned))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::check::check;
    use crate::engine::program::Program;
    use crate::engine::subject::CommandLine;
    use crate::engine::verdict::Outcome;

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
        let plan = ALL.each_ref().map(|check| Planned { check, needs: Vec::new(), hidden: false });
        let made = CHECKS.map(|check| check.id).into_iter().zip(found);
        let verdicts = made.map(|(id, status)| (id, Verdict::new(id, status))).collect();
        let mut round = Round { verdicts, ..Round::new(&plan, &[], 1, budget()) };
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
        let one = Planned { check: &ALL[0], needs: Vec::new(), hidden: false };
        let two = Planned { check: &ALL[1], needs, hidden: false };
        let plan = [one, two, Planned { check: &BOTH, needs: Vec::new(), hidden: false }];
        let verdicts = [("one", Verdict::new("one", Status::Failed(of_the_first)))].into();
        let subject =
            |name: &str| Arc::new(Subject::new(name, CommandLine::new([name]), None, None));
        let subjects = ["client", "server"].map(subject);
        let round = Round { verdicts, ..Round::new(&plan, &subjects, 1, budget()) };
        let found = [&plan[1], &plan[2]].map(|it| matches!(round.readiness(it), Readiness::Ready));
        assert_eq!(found, are_ready);
    }

    #[test]
    fn what_is_set_apart_keeps_only_checks_of_two_programs_waiting() {
        let failure = Failure::new("no greeting", "a greeting");
        check_readiness(failure.clone(), [false, true]);
        check_readiness(failure.set_apart(), [true, false]);
    }

    fn budget() -> Budget {
        Budget::begin(Budget::USUAL)
    }

    /// Runs three checks, two at a time, each of which does what its statuses say. Returns which
    /// checks ran at the same time, in order, and the verdicts.
    fn play(plan: &[Planned; 3], mut ends: [Vec<Status>; 3]) -> (Vec<Vec<&str>>, Vec<Status>) {
        let subjects = [Arc::new(Subject::new("server", CommandLine::new(["s"]), None, None))];
        let mut round = Round::new(plan, &subjects, 2, budget());
        let mut order = Vec::new();
        loop {
            let started: Vec<_> = std::iter::from_fn(|| round.next(&mut |_| {})).collect();
            if started.is_empty() {
                break;
            }
            order.push(started.iter().map(|planned| planned.check.id).collect());
            for planned in started {
                let at = plan.iter().position(|other| other.check.id == planned.check.id).unwrap();
                round.take(Verdict::new(planned.check.id, ends[at].remove(0)), &mut |_| {});
            }
        }
        (order, round.conclude().into_iter().map(|verdict| verdict.status).collect())
    }

    fn plan(needs_of_the_second: &[&str], hidden: [bool; 3]) -> [Planned; 3] {
        static ALL: [Check; 3] = CHECKS;
        let needs: Vec<String> = needs_of_the_second.iter().map(|&need| need.into()).collect();
        let mut needs = [Vec::new(), needs, Vec::new()].into_iter();
        let mut hidden = hidden.into_iter();
        ALL.each_ref().map(|check| Planned {
            check,
            needs: needs.next().unwrap(),
            hidden: hidden.next().unwrap(),
        })
    }

    fn fault() -> Status {
        Status::Fault(crate::fault::Fault("no descriptors left".to_owned()))
    }

    #[test]
    fn a_check_that_ended_in_a_fault_is_repeated_once_alone() {
        let plan = plan(&["one"], [false; 3]);
        let passed = || vec![Status::Passed];
        let (order, ends) = play(&plan, [vec![fault(), Status::Passed], passed(), passed()]);
        assert_eq!(order, [vec!["one", "three"], vec!["one"], vec!["two"]]);
        assert_eq!(ends, [Status::Passed, Status::Passed, Status::Passed]);

        let (order, ends) = play(&plan, [vec![fault(), fault()], passed(), passed()]);
        assert_eq!(order, [vec!["one", "three"], vec!["one"]]);
        assert_eq!(ends, [fault(), Status::Skipped("one".to_owned()), Status::Passed]);
    }

    #[test]
    fn what_has_not_begun_in_time_fails_and_what_needs_it_is_skipped() {
        let plan = plan(&["one"], [false, false, true]);
        let none = Budget::begin(std::time::Duration::ZERO);
        let subjects = [Arc::new(Subject::new("server", CommandLine::new(["s"]), None, None))];
        let mut round = Round::new(&plan, &subjects, 2, none);
        assert!(round.next(&mut |_| {}).is_none() && !round.is_running());
        let ends = round.conclude();
        let says = |at: usize| ends[at].failure().map(|failure| failure.to_string());
        assert!(says(0).is_some_and(|text| text.contains("out of time: 0 s had passed")));
        assert_eq!(ends[1].status, Status::Skipped("one".to_owned()));
        assert!(says(2).is_some());
    }

    #[test]
    fn hidden_checks_run_when_all_others_have_ended() {
        let plan = plan(&["three"], [true, false, false]);
        let passed = || vec![Status::Passed];
        let (order, _) = play(&plan, [passed(), passed(), vec![fault(), Status::Passed]]);
        assert_eq!(order, [vec!["three"], vec!["three"], vec!["two"], vec!["one"]]);
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
