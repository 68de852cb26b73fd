//! Facts about a program that tell one mistake from another.
//!
//! A check, or what is tried after it has failed, puts facts into its failure. The rules of a
//! practical read them. The engine stores and compares facts without knowing what they mean, and
//! no fact decides a verdict.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

/// A fact is any value that can be compared and printed.
pub(crate) trait Fact: Any + Debug + Send + Sync {
    /// Compares with a fact of any type.
    fn equals(&self, other: &dyn Fact) -> bool;
}

impl<T: Any + Debug + PartialEq + Send + Sync> Fact for T {
    fn equals(&self, other: &dyn Fact) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref() == Some(self)
    }
}

/// The facts that belong to one failure, in the order in which they were found.
#[derive(Debug, Clone, Default)]
pub struct Facts(Vec<Arc<dyn Fact>>);

impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a.equals(&**b))
    }
}

impl Eq for Facts {}

impl Facts {
    pub(crate) fn push(&mut self, fact: impl Fact) {
        self.0.push(Arc::new(fact));
    }

    /// Returns the facts of one type.
    pub(crate) fn of<T: Any>(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(|fact| {
            let fact: &dyn Any = &**fact;
            fact.downcast_ref()
        })
    }

    /// Returns, for each fact, its text and all the others.
    pub(crate) fn each_left_out(&self) -> impl Iterator<Item = (String, Self)> {
        (0..self.0.len()).map(|at| {
            let mut rest = self.clone();
            let fact = rest.0.remove(at);
            (format!("{fact:?}"), rest)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Count(usize);

    #[derive(Debug, PartialEq)]
    enum Other {
        Fact,
    }

    fn facts(count: usize) -> Facts {
        let mut facts = Facts::default();
        facts.push(Count(count));
        facts.push(Other::Fact);
        facts
    }

    #[test]
    fn facts_are_compared_by_type_and_value() {
        assert_eq!(facts(1), facts(1));
        assert_ne!(facts(1), facts(2));
        assert_ne!(facts(1), Facts::default());
    }

    #[test]
    fn a_rule_finds_the_facts_of_its_own_type() {
        assert_eq!(facts(3).of::<Count>().collect::<Vec<_>>(), [&Count(3)]);
        assert_eq!(facts(3).of::<usize>().count(), 0);
    }

    #[test]
    fn each_fact_is_left_out_once() {
        let all = facts(3);
        let less: Vec<_> = all.each_left_out().collect();
        assert_eq!((less.len(), less[0].0.as_str()), (2, "Count(3)"));
        assert_eq!((less[0].1.of::<Count>().count(), less[0].1.of::<Other>().count()), (0, 1));
    }
}
