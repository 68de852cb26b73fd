//! A practical as the engine knows it: a list of checks, and the rules that name mistakes.

use std::collections::BTreeSet;

use crate::engine::diagnose::Rule;
use crate::engine::program::Program;
use crate::engine::verdict::Outcome;

/// Something that students hand in, and what is checked of it.
#[derive(Debug)]
pub struct Practical {
    /// Its folder's name, and its name in commands.
    pub name: &'static str,
    /// The programs that it consists of.
    pub programs: &'static [&'static str],
    pub(crate) checks: &'static [&'static [Check]],
    /// What names its mistakes; a later list names what those before it leave unexplained.
    pub(crate) rules: &'static [&'static [Rule]],
}

impl Practical {
    /// Its checks, in the order of the report.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> {
        self.checks.iter().copied().flatten()
    }

    /// The mistakes that can be named, each once.
    pub fn mistakes(&self) -> BTreeSet<&'static str> {
        self.rules.iter().copied().flatten().map(|rule| rule.mistake).collect()
    }
}

/// One check: a function whose name is its id.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its key in the rubric and in every report.
    pub id: &'static str,
    /// What it belongs to.
    pub group: &'static str,
    /// The programs that it runs; the first is the one it is about.
    pub programs: &'static [&'static str],
    pub(crate) body: Body,
}

impl Check {
    /// The checks of one practical's program, for the program of another that does all of it too:
    /// the same functions under the same ids.
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

/// What a check is given.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body {
    One(fn(&Program) -> Outcome),
    Two(fn(&Program, &Program) -> Outcome),
}

/// A row of a register of checks: `check!(group, id, programs…)`.
macro_rules! check {
    ($group:ident, $id:ident, $program:ident) => {
        $crate::engine::check::Check {
            id: stringify!($id),
            group: stringify!($group),
            programs: &[stringify!($program)],
            body: $crate::engine::check::Body::One($id),
        }
    };
    ($group:ident, $id:ident, $first:ident, $second:ident) => {
        $crate::engine::check::Check {
            id: stringify!($id),
            group: stringify!($group),
            programs: &[stringify!($first), stringify!($second)],
            body: $crate::engine::check::Body::Two($id),
        }
    };
}
pub(crate) use check;
