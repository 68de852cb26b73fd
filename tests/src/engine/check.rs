//! A practical as the engine knows it: its programs, its checks, and what names their mistakes.

use std::collections::BTreeSet;

use crate::engine::diagnose::{self, Rule};
use crate::engine::program::Program;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Diagnosis, Outcome, Verdict};

/// Something that students hand in, and what is checked of it.
#[derive(Debug)]
pub struct Practical {
    /// The name of its folder, and its name in commands.
    pub name: &'static str,
    /// The programs that it consists of.
    pub programs: &'static [&'static str],
    pub(crate) checks: &'static [&'static [Check]],
    /// What names its mistakes. A later list names only what the lists before it leave
    /// unexplained.
    pub(crate) rules: &'static [&'static [Rule]],
    /// Returns whether what came answers what was sent, as far as both have gone over the wire.
    pub(crate) is_answer: fn(sent: &[u8], came: &[u8]) -> bool,
}

impl Practical {
    /// Returns its checks, in the order of the report.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> {
        self.checks.iter().copied().flatten()
    }

    /// Returns the mistakes that can be named, each once.
    pub fn mistakes(&self) -> BTreeSet<&'static str> {
        self.rules.iter().copied().flatten().map(|rule| rule.mistake).collect()
    }

    /// Returns whether the bytes that came back answer the bytes that were sent.
    pub fn is_answer(&self, sent: &[u8], came: &[u8]) -> bool {
        (self.is_answer)(sent, came)
    }

    /// Names the mistakes that explain what was seen over all checks of a run: at most one for each
    /// root cause, and none where two explanations remain.
    pub fn diagnose(&self, verdicts: &[Verdict]) -> Vec<Diagnosis> {
        diagnose::by(self.rules, verdicts)
    }

    /// Returns what [`Practical::diagnose`] would name with less evidence: without each fact,
    /// without each check, and by each check alone. Removing evidence may lose a diagnosis but must
    /// never change it; this is how to prove that for a program whose mistakes are known. Each
    /// result says first what was known.
    pub fn diagnose_with_less(&self, verdicts: &[Verdict]) -> Vec<(String, Vec<Diagnosis>)> {
        diagnose::with_less(self.rules, verdicts)
    }
}

/// One check: a function whose name is its id.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its key in the rubric and in every report.
    pub id: &'static str,
    /// What it belongs to.
    pub group: &'static str,
    /// The programs that it runs; the first is the one that it is about.
    pub programs: &'static [&'static str],
    pub(crate) body: Body,
}

impl Check {
    /// Returns the same checks, under the same ids, for a program of another name.
    pub(crate) const fn of_another_program<const N: usize>(
        checks: &[Self],
        programs: &'static [&'static str],
    ) -> [Self; N] {
        let mut same = [checks[0]; N];
        let mut at = 0;
        while at < N {
            same[at] = Self { programs, ..checks[at] };
            at += 1;
        }
        same
    }
}

/// A check's function, what is tried where it fails, and what finds the cause of a failure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body {
    One(fn(&Program) -> Outcome, Option<Shorter>, Option<fn(&Program, Tried) -> Tried>),
    Two(fn(&Program, &Program) -> Outcome, Option<fn(&Program, &Program, Tried) -> Tried>),
}

/// Tries the same in a shorter conversation, after a failure that may have another check's cause.
pub(crate) type Shorter = fn(&Program, Tried) -> InShort;

/// What came of the shorter conversation.
#[derive(Debug)]
pub(crate) enum InShort {
    /// The check holds there: what broke the longer conversation is the matter of other checks.
    Holds,
    /// It fails, by this failure.
    Fails(Tried),
    /// The result means nothing without this check, which fails.
    Needs(&'static str),
}

/// A row of a register of checks: `check!(group, id, programs…)`, then if wanted
/// `or what_is_tried_in_a_shorter_conversation`, then `then what_is_tried_to_find_the_cause`.
macro_rules! check {
    ($group:ident, $id:ident, $program:ident $(, or $or:path)? $(, then $then:path)?) => {
        $crate::engine::check::check!(
            @ $group, $id, [$program],
            One($id, $crate::engine::check::check!(? $($or)?), $crate::engine::check::check!(? $($then)?))
        )
    };
    ($group:ident, $id:ident, $first:ident, $second:ident $(, then $then:path)?) => {
        $crate::engine::check::check!(
            @ $group, $id, [$first, $second],
            Two($id, $crate::engine::check::check!(? $($then)?))
        )
    };
    (?) => { None };
    (? $path:path) => { Some($path) };
    (@ $group:ident, $id:ident, [$($program:ident),*], $body:ident($($function:tt)*)) => {
        $crate::engine::check::Check {
            id: stringify!($id),
            group: stringify!($group),
            programs: &[$(stringify!($program)),*],
            body: $crate::engine::check::Body::$body($($function)*),
        }
    };
}
pub(crate) use check;
