//! A failure together with the conversation in which it was seen.

use std::sync::Arc;

use crate::engine::context::Scene;
use crate::engine::facts::Fact;
use crate::engine::received::Ending;
use crate::engine::verdict::Failure;

/// What is known of a failed check. What is tried after the failure returns it with more facts, or
/// with a shorter conversation that shows the same.
#[derive(Debug, Clone)]
pub(crate) struct Tried {
    pub(crate) failure: Failure,
    /// The evidence of the conversation in which this failure was seen.
    pub(crate) scene: Arc<Scene>,
}

impl Tried {
    /// Adds a fact for the rules.
    pub(crate) fn with(self, fact: impl Fact) -> Self {
        Self { failure: self.failure.with(fact), ..self }
    }

    /// Adds a fact, if there is one.
    pub(crate) fn with_some(self, fact: Option<impl Fact>) -> Self {
        match fact {
            Some(fact) => self.with(fact),
            None => self,
        }
    }

    /// Names the mistake behind the failure, with one sentence of evidence.
    pub(crate) fn caused_by(self, mistake: &'static str, because: impl Into<String>) -> Self {
        Self { failure: self.failure.caused_by(mistake, because), ..self }
    }

    /// Shows another attempt instead of this one; what is known of this one stays known.
    pub(crate) fn shown_by(self, shorter: Self) -> Self {
        let failure = Failure { facts: self.failure.facts, ..shorter.failure };
        Self { failure, scene: shorter.scene }
    }

    /// Tells another failure about this conversation; what was known of the first one is forgotten.
    pub(crate) fn replaced_by(self, failure: Failure) -> Self {
        Self { failure, ..self }
    }

    /// Returns the first that `take` returns for a fact.
    pub(crate) fn fact<T: 'static, U>(&self, take: impl FnMut(&T) -> Option<U>) -> Option<U> {
        self.failure.facts.of().find_map(take)
    }

    /// Returns how the stream ended that was compared.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.failure.difference.as_ref().and_then(|difference| difference.ending)
    }

    /// Returns whether a program had ended by itself.
    pub(crate) fn died(&self) -> bool {
        self.scene.ended.is_some()
    }
}
