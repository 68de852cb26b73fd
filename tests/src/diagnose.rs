//! From evidence to the mistake that explains it, or to nothing.
//!
//! Each rule is a function of everything that was seen in a run and names one mistake, with one sentence of evidence and the
//! failed checks that follow from it. A rule that another explanation would fit as well stays silent: a wrong name is worse
//! than none. How a program ended is evidence; what it prints is none, but for the system's own words for an error.

mod echo_client;
mod echo_server;

use crate::evidence::Clue;
use crate::{Diagnosis, Difference, Failure, Status, Verdict};

/// The mistakes of the echo practical.
pub(crate) fn echo(verdicts: &[Verdict]) -> Vec<Diagnosis> {
    by(&[echo_server::RULES, echo_client::RULES], verdicts)
}

/// Names one mistake, or nothing.
type Rule = fn(&Seen<'_>) -> Option<Diagnosis>;

fn by(rules: &[&[Rule]], verdicts: &[Verdict]) -> Vec<Diagnosis> {
    let seen = Seen { verdicts };
    rules.iter().copied().flatten().filter_map(|rule| rule(&seen)).collect()
}

/// Everything that was seen in a run.
struct Seen<'a> {
    verdicts: &'a [Verdict],
}

/// A failed check with its evidence.
#[derive(Clone, Copy)]
struct Failed<'a> {
    verdict: &'a Verdict,
    failure: &'a Failure,
}

impl<'a> Seen<'a> {
    /// The check, if it failed.
    fn failed(&self, id: &str) -> Option<Failed<'a>> {
        self.all_failed().find(|failed| failed.verdict.check == id)
    }

    fn all_failed(&self) -> impl Iterator<Item = Failed<'a>> {
        self.verdicts.iter().filter_map(|verdict| match &verdict.status {
            Status::Failed(failure) => Some(Failed { verdict, failure }),
            _ => None,
        })
    }

    fn passed(&self, id: &str) -> bool {
        self.verdicts.iter().any(|verdict| verdict.check == id && verdict.status == Status::Passed)
    }

    /// This mistake explains those of the checks that failed, and at least one did.
    fn name(&self, mistake: &'static str, because: impl Into<String>, checks: &[&str]) -> Option<Diagnosis> {
        let failed = self.all_failed().map(|failed| failed.verdict.check);
        let checks: Vec<&'static str> = failed.filter(|id| checks.contains(id)).collect();
        (!checks.is_empty()).then(|| Diagnosis { mistake, because: because.into(), checks })
    }
}

impl<'a> Failed<'a> {
    fn clues(self) -> impl Iterator<Item = &'a Clue> {
        self.verdict.clues.0.iter()
    }

    /// The first clue from which something can be taken.
    fn clue<T>(self, take: impl FnMut(&'a Clue) -> Option<T>) -> Option<T> {
        self.clues().find_map(take)
    }

    fn has(self, clue: &Clue) -> bool {
        self.clues().any(|other| other == clue)
    }

    fn difference(self) -> Option<&'a Difference> {
        self.failure.difference.as_deref()
    }

    /// The program had ended by itself.
    fn died(self) -> bool {
        self.verdict.ended.is_some()
    }
}
