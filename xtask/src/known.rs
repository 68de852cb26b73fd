//! What an earlier grading of the same programs found out, and which of its verdicts still hold.

use std::collections::{BTreeMap, BTreeSet};

use suite::{Planned, Status, Verdict};

use crate::grade::Grading;
use crate::submission::Sources;

/// What is known before a grading begins; by default nothing.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The fingerprint of each program.
    fingerprints: BTreeMap<String, u64>,
    verdicts: Vec<Verdict>,
}

/// The checks to run, and the verdicts to keep.
pub(crate) struct Due {
    pub(crate) checks: Vec<Planned>,
    /// The verdicts that still hold.
    kept: Vec<Verdict>,
    /// The ids of the whole plan, in its order.
    order: Vec<&'static str>,
}

impl Known {
    #[cfg_attr(not(feature = "full"), allow(dead_code, reason = "only watch grades again"))]
    pub(crate) fn of(grading: &Grading) -> Self {
        Self {
            fingerprints: grading.fingerprints.clone(),
            verdicts: grading.rows.iter().map(|row| row.verdict.clone()).collect(),
        }
    }

    /// Returns the checks that must be run, or `None` if no program has changed.
    pub(crate) fn due(&self, plan: &[Planned], sources: &Sources) -> Option<Due> {
        let now = sources.fingerprints();
        let has_changed = |name: &String, print: &u64| self.fingerprints.get(name) != Some(print);
        let changed: BTreeSet<&str> = now
            .iter()
            .filter(|(name, print)| has_changed(name, print))
            .map(|(name, _)| &**name)
            .collect();
        (!changed.is_empty()).then(|| self.divide(plan, &changed))
    }

    /// Checks of changed programs are due, and so are checks without a verdict. A check keeps its
    /// verdict if it needs one that did not pass and is not run again.
    fn divide(&self, plan: &[Planned], changed: &BTreeSet<&str>) -> Due {
        let is_touched = |id: &str| {
            let planned = plan.iter().find(|planned| planned.check.id == id);
            planned.is_none_or(|planned| runs_any(planned, changed))
        };
        let holds =
            |need: &String| is_touched(need) || self.verdict(need).is_none_or(does_not_block);
        let is_due = |planned: &&Planned| {
            self.verdict(planned.check.id).is_none()
                || is_touched(planned.check.id) && planned.needs.iter().all(holds)
        };
        let (due, kept): (Vec<&Planned>, Vec<&Planned>) = plan.iter().partition(is_due);
        let kept = kept.into_iter().filter_map(|planned| self.verdict(planned.check.id).cloned());
        Due {
            checks: due.into_iter().cloned().collect(),
            kept: kept.collect(),
            order: plan.iter().map(|planned| planned.check.id).collect(),
        }
    }

    fn verdict(&self, id: &str) -> Option<&Verdict> {
        self.verdicts.iter().find(|verdict| verdict.check == id)
    }
}

fn runs_any(planned: &Planned, programs: &BTreeSet<&str>) -> bool {
    planned.check.programs.iter().any(|name| programs.contains(name))
}

/// Returns whether a check that needs this one may run.
fn does_not_block(verdict: &Verdict) -> bool {
    matches!(verdict.status, Status::Passed | Status::Unseen(_))
}

impl Due {
    /// Adds the verdicts that still hold, in the order of the plan.
    pub(crate) fn complete(self, fresh: Vec<Verdict>) -> Vec<Verdict> {
        let mut all: Vec<Verdict> = fresh.into_iter().chain(self.kept).collect();
        all.sort_by_key(|verdict| self.order.iter().position(|id| *id == verdict.check));
        all
    }
}
