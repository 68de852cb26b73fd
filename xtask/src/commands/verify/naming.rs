//! Counts how often the grader names a mistake correctly.

use std::collections::BTreeSet;

use suite::{Practical, Verdict};

use super::catalogue::Mistake;
use crate::grade::Grading;
use crate::terminal;

/// The names that were right, wrong or missing.
#[derive(Default)]
pub(super) struct Naming {
    right: usize,
    wrong: Vec<String>,
    unnamed: Vec<String>,
    /// Names that become wrong when evidence is removed.
    hasty: Vec<String>,
}

impl Naming {
    /// Counts one grading. A name that does not belong to the program is wrong, whatever else was
    /// named.
    pub(super) fn count(&mut self, practical: &Practical, mistake: &Mistake, grading: &Grading) {
        let makes = mistake.makes();
        let named: BTreeSet<&str> = grading.mistakes.iter().map(|named| named.id).collect();
        let list = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(" and ");
        if named == makes {
            self.right += 1;
        } else if named.is_subset(&makes) {
            let missing: BTreeSet<&str> = makes.difference(&named).copied().collect();
            self.unnamed.push(format!("{}: {} is not named", mistake.id, list(&missing)));
        } else {
            let (named, makes) = (list(&named), list(&makes));
            self.wrong.push(format!("{}: named {named}, and it makes {makes}", mistake.id));
        }
        self.hasty.extend(named_with_less(practical, mistake, grading));
    }

    pub(super) fn conclude(self) -> Vec<String> {
        let (wrong, unnamed) = (self.wrong.len(), self.unnamed.len());
        terminal::say_line(format_args!(
            "\nmistakes named: {} right, {wrong} wrong, {unnamed} not named",
            self.right
        ));
        [self.wrong, self.unnamed, self.hasty].concat()
    }
}

/// Removes evidence and returns a complaint if the name becomes wrong. Evidence is missing when
/// only one check is run, or when a follow-up finds nothing.
fn named_with_less(practical: &Practical, mistake: &Mistake, grading: &Grading) -> Option<String> {
    let makes = mistake.makes();
    let verdicts: Vec<Verdict> = grading.rows.iter().map(|row| row.verdict.clone()).collect();
    practical.diagnose_with_less(&verdicts).into_iter().find_map(|(known, named)| {
        let wrong = named.into_iter().find(|diagnosis| !makes.contains(diagnosis.mistake))?;
        Some(format!("{}: would be named {} if only {known} were known", mistake.id, wrong.mistake))
    })
}
