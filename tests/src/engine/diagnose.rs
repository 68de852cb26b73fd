//! From evidence to the mistake that explains it, or to nothing.
//!
//! A [`Cause`] is a mistake that what was tried after a failure has found out by itself. All other
//! mistakes have a rule: a function of everything that was found in a run, which returns one
//! mistake, one sentence of evidence, and the failed checks that follow from it. A rule that
//! another explanation would fit as well stays silent: a wrong name is worse than none. How a
//! program ended is evidence; what it prints is none, except the system's own words for an error.

use std::any::Any;

use crate::engine::difference::Difference;
use crate::engine::facts::Facts;
use crate::engine::not_listening::NeverListened;
use crate::engine::verdict::{Diagnosis, Failure, Status, Verdict};

/// Names one mistake, or nothing.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The mistake's key in the catalogue.
    pub(crate) mistake: &'static str,
    pub(crate) find: Find,
}

/// How a mistake is found.
#[derive(Debug)]
pub(crate) enum Find {
    /// A failure has it as its [`Cause`].
    Cause,
    /// By this function, which has the mistake's name.
    By(fn(&Findings<'_>) -> Option<Diagnosis>),
}

/// A row of a list of rules whose function has the mistake's name.
macro_rules! rule {
    ($mistake:ident) => {
        $crate::engine::diagnose::Rule {
            mistake: stringify!($mistake),
            find: $crate::engine::diagnose::Find::By($mistake),
        }
    };
}
pub(crate) use rule;

/// A row of a list of rules for a mistake that is found as the cause of a failure.
macro_rules! cause {
    ($mistake:ident) => {
        $crate::engine::diagnose::Rule {
            mistake: stringify!($mistake),
            find: $crate::engine::diagnose::Find::Cause,
        }
    };
}
pub(crate) use cause;

/// A fact that names the mistake behind a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    mistake: &'static str,
    because: String,
}

impl Failure {
    /// Names the mistake behind this failure, with one sentence of evidence.
    pub(crate) fn caused_by(self, mistake: &'static str, because: impl Into<String>) -> Self {
        self.with(Cause { mistake, because: because.into() })
    }
}

/// Names the mistakes that explain what was seen over all checks of a run: at most one for each
/// root cause. A later list names only what the lists before it leave unexplained.
pub(crate) fn by(rules: &[&[Rule]], verdicts: &[Verdict]) -> Vec<Diagnosis> {
    let is_late = |verdict: &Verdict| verdict.failure().is_some_and(|it| it.is_out_of_time);
    if verdicts.iter().any(is_late) {
        // The end of the submission's time says nothing about what the program does.
        let in_time = verdicts.iter().filter(|verdict| !is_late(verdict)).cloned();
        return by(rules, &in_time.collect::<Vec<_>>());
    }
    let findings = Findings { verdicts };
    let mut named: Vec<Diagnosis> = Vec::new();
    for list in rules {
        let found = list.iter().filter_map(|rule| rule.find(&findings));
        let is_explained =
            |check: &&str| named.iter().any(|diagnosis| diagnosis.checks.contains(check));
        let more: Vec<Diagnosis> =
            found.filter(|new| !new.checks.iter().all(is_explained)).collect();
        named.extend(more);
    }
    named
}

/// Returns what [`by`] would name with less evidence: without each of the facts, without each of
/// the checks, and by each check alone. Each result says first what was known.
pub(crate) fn with_less(rules: &[&[Rule]], verdicts: &[Verdict]) -> Vec<(String, Vec<Diagnosis>)> {
    let bare = |verdict: &Verdict| Verdict {
        ended: verdict.ended.clone(),
        over: verdict.over.clone(),
        ..Verdict::new(verdict.check, verdict.status.clone())
    };
    let all: Vec<Verdict> = verdicts.iter().map(bare).collect();
    let mut named = Vec::new();
    for at in 0..all.len() {
        let check = all[at].check;
        let mut less = all.clone();
        for (fact, facts) in facts_of(&all[at]).into_iter().flat_map(Facts::each_left_out) {
            set_facts(&mut less[at], facts);
            named.push((format!("all but {fact} of {check}"), by(rules, &less)));
        }
        less[at] = all[at].clone();
        let alone = less.remove(at);
        named.push((format!("all but what {check} found"), by(rules, &less)));
        named.push((format!("what {check} alone finds"), by(rules, &[alone])));
    }
    named
}

fn facts_of(verdict: &Verdict) -> Option<&Facts> {
    verdict.failure().map(|failure| &failure.facts)
}

fn set_facts(verdict: &mut Verdict, facts: Facts) {
    if let Status::Failed(failure) = &mut verdict.status {
        failure.facts = facts;
    }
}

impl Rule {
    fn find(&self, findings: &Findings<'_>) -> Option<Diagnosis> {
        match self.find {
            Find::By(find) => find(findings),
            Find::Cause => findings.cause(self.mistake),
        }
    }
}

/// Everything that was found in a run.
pub(crate) struct Findings<'a> {
    verdicts: &'a [Verdict],
}

/// A failed check with its evidence.
#[derive(Clone, Copy)]
pub(crate) struct Failed<'a> {
    pub(crate) verdict: &'a Verdict,
    pub(crate) failure: &'a Failure,
}

impl<'a> Findings<'a> {
    /// Returns the check, if it failed.
    pub(crate) fn failed(&self, id: &str) -> Option<Failed<'a>> {
        self.all_failed().find(|failed| failed.id() == id)
    }

    /// Returns the checks of this list that failed, in the list's order.
    pub(crate) fn failed_of(&self, ids: &[&str]) -> Vec<Failed<'a>> {
        ids.iter().filter_map(|id| self.failed(id)).collect()
    }

    pub(crate) fn all_failed(&self) -> impl Iterator<Item = Failed<'a>> {
        let all = self.verdicts.iter();
        // A step that is not written yet is no mistake.
        all.filter_map(|verdict| Some(Failed { verdict, failure: verdict.failure()? }))
            .filter(|failed| failed.failure.unwritten().is_none())
    }

    pub(crate) fn passed(&self, id: &str) -> bool {
        self.verdicts.iter().any(|verdict| verdict.check == id && verdict.status == Status::Passed)
    }

    /// Names a mistake that explains those of the checks that failed; at least one must have.
    pub(crate) fn name(
        &self,
        mistake: &'static str,
        because: impl Into<String>,
        checks: &[&str],
    ) -> Option<Diagnosis> {
        let checks: Vec<&'static str> =
            self.all_failed().map(Failed::id).filter(|id| checks.contains(id)).collect();
        (!checks.is_empty()).then(|| Diagnosis { mistake, because: because.into(), checks })
    }

    /// Names a mistake that is the cause of failures: all of them follow from it.
    fn cause(&self, mistake: &'static str) -> Option<Diagnosis> {
        let causes = |failed: Failed<'a>| {
            failed.fact(|cause: &Cause| (cause.mistake == mistake).then_some(&cause.because))
        };
        let because = self.all_failed().find_map(causes)?;
        let caused = self.all_failed().filter(|failed| causes(*failed).is_some());
        self.name(mistake, because, &caused.map(Failed::id).collect::<Vec<_>>())
    }
}

impl<'a> Failed<'a> {
    /// The check's id.
    pub(crate) fn id(self) -> &'static str {
        self.verdict.check
    }

    /// Returns the facts of one type.
    pub(crate) fn facts<T: Any>(self) -> impl Iterator<Item = &'a T> {
        self.failure.facts.of()
    }

    /// Returns the first that `take` returns for a fact.
    pub(crate) fn fact<T: Any, U>(self, take: impl FnMut(&'a T) -> Option<U>) -> Option<U> {
        self.facts().find_map(take)
    }

    /// Returns whether this fact is known.
    pub(crate) fn has<T: Any + PartialEq>(self, fact: &T) -> bool {
        self.facts::<T>().any(|other| other == fact)
    }

    pub(crate) fn difference(self) -> Option<&'a Difference> {
        self.failure.difference.as_deref()
    }

    /// Returns how a server ended by itself that clients could reach.
    pub(crate) fn death(self) -> Option<&'a str> {
        let was_reached = self.facts::<NeverListened>().next().is_none();
        self.verdict.ended.as_deref().filter(|_| was_reached)
    }

    /// Returns whether the program had ended by itself.
    pub(crate) fn died(self) -> bool {
        self.verdict.ended.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Fact(&'static str);

    fn failure() -> Failure {
        Failure::new("something", "something else")
    }

    fn failed(check: &'static str, facts: &[&'static str]) -> Verdict {
        let all = facts.iter().fold(failure(), |failure, fact| failure.with(Fact(fact)));
        Verdict::new(check, Status::Failed(all))
    }

    fn names(lists: &[&[Rule]], verdicts: &[Verdict]) -> Vec<&'static str> {
        by(lists, verdicts).into_iter().map(|diagnosis| diagnosis.mistake).collect()
    }

    #[test]
    fn a_name_that_rests_on_what_is_not_known_is_found() {
        fn hasty(findings: &Findings<'_>) -> Option<Diagnosis> {
            let one = findings.failed("one");
            let knows = |fact| one.is_some_and(|failed| failed.has(&Fact(fact)));
            let restrained = knows("another") || findings.failed("two").is_some();
            if restrained { None } else { findings.name("hasty", "", &["one"]) }
        }
        let named_with_less = |verdicts: &[Verdict]| -> Vec<String> {
            let all = with_less(&[&[rule!(hasty)]], verdicts).into_iter();
            all.filter(|(_, named)| !named.is_empty()).map(|(known, _)| known).collect()
        };
        assert_eq!(
            named_with_less(&[failed("one", &["a fact", "another"])]),
            [r#"all but Fact("another") of one"#]
        );
        assert_eq!(
            named_with_less(&[failed("one", &[]), failed("two", &[])]),
            ["what one alone finds", "all but what two found"]
        );
    }

    #[test]
    fn a_later_list_names_what_earlier_ones_leave_unexplained() {
        fn particular(findings: &Findings<'_>) -> Option<Diagnosis> {
            findings.name("particular", "", &["one"])
        }
        fn general(findings: &Findings<'_>) -> Option<Diagnosis> {
            findings.name("general", "", &["one"])
        }
        fn other(findings: &Findings<'_>) -> Option<Diagnosis> {
            findings.name("other", "", &["one", "two"])
        }
        let lists: [&[Rule]; 2] = [&[rule!(particular)], &[rule!(general), rule!(other)]];
        assert_eq!(names(&lists, &[failed("one", &[])]), ["particular"]);
        let both = [failed("one", &[]), failed("two", &[])];
        assert_eq!(names(&lists, &both), ["particular", "other"]);
    }

    #[test]
    fn the_cause_of_several_failures_is_named_once() {
        let caused = |check| {
            Verdict::new(check, Status::Failed(failure().caused_by("hasty", "it did not wait")))
        };
        let verdicts = [caused("one"), failed("two", &[]), caused("three")];
        let named = by(&[&[cause!(hasty), cause!(other)]], &verdicts);
        assert_eq!(named.len(), 1);
        assert_eq!(named[0].checks, ["one", "three"]);
    }
}
