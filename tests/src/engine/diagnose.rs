//! From evidence to the mistake that explains it, or to nothing.
//!
//! Each rule is a function of everything that was seen in a run and names one mistake, with one
//! sentence of evidence and the failed checks that follow from it. A rule that another explanation
//! would fit as well stays silent: a wrong name is worse than none. How a program ended is
//! evidence; what it prints is none, but for the system's own words for an error.

use crate::engine::check::Practical;
use crate::engine::compare::Difference;
use crate::engine::evidence::Clue;
use crate::engine::verdict::{Diagnosis, Failure, Status, Verdict};

/// Names one mistake, or nothing.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The mistake's key in the catalogue: the function's name.
    pub(crate) mistake: &'static str,
    pub(crate) find: fn(&Seen<'_>) -> Option<Diagnosis>,
}

/// A row of a list of rules.
macro_rules! rule {
    ($mistake:ident) => {
        $crate::engine::diagnose::Rule { mistake: stringify!($mistake), find: $mistake }
    };
}
pub(crate) use rule;

/// The mistakes that explain what was seen over all checks of a run: at most one for each root
/// cause, and none where two explanations remain.
pub fn diagnose(practical: &Practical, verdicts: &[Verdict]) -> Vec<Diagnosis> {
    by(practical.rules, verdicts)
}

/// What [`diagnose`] would name had less been found out: for each clue that is left out, for each
/// check that is, and for each check alone. Less evidence may cost a name and never makes another
/// one: this is how to prove that of a program whose mistakes are known. Each result has what is
/// known of in words.
pub fn diagnose_with_less(
    practical: &Practical,
    verdicts: &[Verdict],
) -> Vec<(String, Vec<Diagnosis>)> {
    with_less(practical.rules, verdicts)
}

/// A later list has what may be said of more programs than the lists before it: it names only what
/// they leave unexplained.
pub(crate) fn by(rules: &[&[Rule]], verdicts: &[Verdict]) -> Vec<Diagnosis> {
    let seen = Seen { verdicts };
    let mut named: Vec<Diagnosis> = Vec::new();
    for list in rules {
        let found = list.iter().filter_map(|rule| (rule.find)(&seen));
        let is_explained =
            |check: &&str| named.iter().any(|diagnosis| diagnosis.checks.contains(check));
        let more: Vec<Diagnosis> =
            found.filter(|new| !new.checks.iter().all(is_explained)).collect();
        named.extend(more);
    }
    named
}

/// What the rules name when less is known: without each of the clues, without each of the checks,
/// and by each check alone, as when a student runs just that. What was left out comes first.
pub(crate) fn with_less(rules: &[&[Rule]], verdicts: &[Verdict]) -> Vec<(String, Vec<Diagnosis>)> {
    let bare = |verdict: &Verdict| Verdict {
        ended: verdict.ended.clone(),
        clues: verdict.clues.clone(),
        ..Verdict::new(verdict.check, verdict.status.clone())
    };
    let all: Vec<Verdict> = verdicts.iter().map(bare).collect();
    let mut named = Vec::new();
    for at in 0..all.len() {
        let check = all[at].check;
        let mut less = all.clone();
        for without in 0..less[at].clues.0.len() {
            let clue = less[at].clues.0.remove(without);
            named.push((format!("all but {clue:?} of {check}"), by(rules, &less)));
            less[at].clues.0.insert(without, clue);
        }
        let alone = less.remove(at);
        named.push((format!("all but what {check} found"), by(rules, &less)));
        named.push((format!("what {check} alone finds"), by(rules, &[alone])));
    }
    named
}

/// Everything that was seen in a run.
pub(crate) struct Seen<'a> {
    verdicts: &'a [Verdict],
}

/// A failed check with its evidence.
#[derive(Clone, Copy)]
pub(crate) struct Failed<'a> {
    pub(crate) verdict: &'a Verdict,
    pub(crate) failure: &'a Failure,
}

impl<'a> Seen<'a> {
    /// The check, if it failed.
    pub(crate) fn failed(&self, id: &str) -> Option<Failed<'a>> {
        self.all_failed().find(|failed| failed.verdict.check == id)
    }

    pub(crate) fn all_failed(&self) -> impl Iterator<Item = Failed<'a>> {
        self.verdicts.iter().filter_map(|verdict| match &verdict.status {
            Status::Failed(failure) => Some(Failed { verdict, failure }),
            _ => None,
        })
    }

    pub(crate) fn passed(&self, id: &str) -> bool {
        self.verdicts.iter().any(|verdict| verdict.check == id && verdict.status == Status::Passed)
    }

    /// This mistake explains those of the checks that failed, and at least one did.
    pub(crate) fn name(
        &self,
        mistake: &'static str,
        because: impl Into<String>,
        checks: &[&str],
    ) -> Option<Diagnosis> {
        let failed = self.all_failed().map(|failed| failed.verdict.check);
        let checks: Vec<&'static str> = failed.filter(|id| checks.contains(id)).collect();
        (!checks.is_empty()).then(|| Diagnosis { mistake, because: because.into(), checks })
    }
}

impl<'a> Failed<'a> {
    pub(crate) fn clues(self) -> impl Iterator<Item = &'a Clue> {
        self.verdict.clues.0.iter()
    }

    /// The first clue from which something can be taken.
    pub(crate) fn clue<T>(self, take: impl FnMut(&'a Clue) -> Option<T>) -> Option<T> {
        self.clues().find_map(take)
    }

    /// The number that belongs to a clue of the program's own.
    pub(crate) fn own(self, name: &str) -> Option<usize> {
        self.clue(|clue| match clue {
            Clue::Own { fact, number } if *fact == name => Some(*number),
            _ => None,
        })
    }

    pub(crate) fn has(self, clue: &Clue) -> bool {
        self.clues().any(|other| other == clue)
    }

    pub(crate) fn difference(self) -> Option<&'a Difference> {
        self.failure.difference.as_deref()
    }

    /// The program had ended by itself.
    pub(crate) fn died(self) -> bool {
        self.verdict.ended.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::evidence::Clues;

    fn of(verdicts: &[Verdict]) -> impl Iterator<Item = (&'static str, Vec<Diagnosis>)> {
        crate::PRACTICALS.iter().map(|practical| (practical.name, by(practical.rules, verdicts)))
    }

    fn every_check(status: &Status) -> Vec<Verdict> {
        let checks = crate::PRACTICALS.iter().flat_map(|practical| practical.checks());
        checks.map(|check| Verdict::new(check.id, status.clone())).collect()
    }

    #[test]
    fn a_right_program_has_no_name() {
        for (practical, named) in of(&every_check(&Status::Passed)) {
            assert_eq!(named, [], "{practical}");
        }
    }

    #[test]
    fn a_failure_without_clues_has_no_name() {
        // That a reset stops a server which lives on needs no clue besides the verdict.
        const NEEDS_NONE: &str = "one_bad_client_stops_all";
        for (practical, named) in
            of(&every_check(&Status::Failed(Failure::new("something", "something else"))))
        {
            assert!(
                named.iter().all(|diagnosis| diagnosis.mistake == NEEDS_NONE),
                "{practical}: {named:?}"
            );
        }
    }

    #[test]
    fn a_name_that_rests_on_what_is_not_known_is_found() {
        fn hasty(seen: &Seen<'_>) -> Option<Diagnosis> {
            let knows = |fact| seen.failed("one").is_some_and(|failed| failed.own(fact).is_some());
            if knows("another") || seen.failed("two").is_some() {
                None
            } else {
                seen.name("hasty", "", &["one"])
            }
        }
        let failed = |check| {
            Verdict::new(check, Status::Failed(Failure::new("something", "something else")))
        };
        let one = Verdict {
            clues: Clues(vec![Clue::own("a fact", 1), Clue::own("another", 1)]),
            ..failed("one")
        };
        let names_with_less = |verdicts: &[Verdict]| -> Vec<String> {
            let all = with_less(&[&[rule!(hasty)]], verdicts).into_iter();
            all.filter(|(_, named)| !named.is_empty()).map(|(known, _)| known).collect()
        };
        assert_eq!(
            names_with_less(std::slice::from_ref(&one)),
            [r#"all but Own { fact: "another", number: 1 } of one"#]
        );
        let bare = Verdict { clues: Clues::default(), ..one };
        assert_eq!(
            names_with_less(&[bare, failed("two")]),
            ["what one alone finds", "all but what two found"]
        );
    }

    #[test]
    fn a_later_list_names_what_earlier_ones_leave_unexplained() {
        fn particular(seen: &Seen<'_>) -> Option<Diagnosis> {
            seen.name("particular", "", &["one"])
        }
        fn general(seen: &Seen<'_>) -> Option<Diagnosis> {
            seen.name("general", "", &["one"])
        }
        fn other(seen: &Seen<'_>) -> Option<Diagnosis> {
            seen.name("other", "", &["one", "two"])
        }
        let failed = |check| {
            Verdict::new(check, Status::Failed(Failure::new("something", "something else")))
        };
        let lists: [&[Rule]; 2] = [&[rule!(particular)], &[rule!(general), rule!(other)]];
        let names = |verdicts: &[Verdict]| -> Vec<&str> {
            by(&lists, verdicts).into_iter().map(|diagnosis| diagnosis.mistake).collect()
        };
        assert_eq!(names(&[failed("one")]), ["particular"]);
        assert_eq!(names(&[failed("one"), failed("two")]), ["particular", "other"]);
    }
}
