//! What the grader says about each mistake that it can name.
//!
//! `practicals/PRACTICAL/explanations.toml`: students have it, and neither the programs that make these mistakes nor the
//! solutions.

use std::path::Path;

use anyhow::{Context, anyhow};
use serde::Deserialize;
use suite::{Diagnosis, Practical};

/// Everything that is said about the mistakes of one practical.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explanations {
    #[serde(default)]
    pub(crate) mistake: Vec<Explanation>,
}

/// One mistake in words.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explanation {
    pub(crate) id: String,
    /// Completes "the program …".
    pub(crate) does: String,
    /// How to say so to a student.
    pub(crate) says: String,
    /// What to try: the idea, not the solution.
    pub(crate) r#try: String,
}

/// A mistake that was made out in this run, with what to say about it.
#[derive(Debug, Clone)]
pub(crate) struct NamedMistake {
    pub(crate) id: &'static str,
    pub(crate) says: String,
    pub(crate) r#try: String,
    /// One sentence of evidence.
    pub(crate) because: String,
    /// The failed checks that it explains.
    pub(crate) checks: Vec<&'static str>,
}

/// Reads them from a practical's folder.
pub(crate) fn read(practical: &Practical, folder: &Path) -> anyhow::Result<Explanations> {
    let path = folder.join("explanations.toml");
    let shown = format!("practicals/{}/explanations.toml", practical.name);
    let text = std::fs::read_to_string(&path).with_context(|| shown.clone())?;
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        anyhow!("{shown}:{line}: {}", error.message())
    })
}

impl Explanations {
    /// What is said about this mistake.
    pub(crate) fn of(&self, id: &str) -> Option<&Explanation> {
        self.mistake.iter().find(|explanation| explanation.id == id)
    }

    /// A diagnosis with its words.
    pub(crate) fn name(&self, diagnosis: Diagnosis) -> NamedMistake {
        let words = self.of(diagnosis.mistake);
        NamedMistake {
            id: diagnosis.mistake,
            says: words.map(|words| words.says.clone()).unwrap_or_default(),
            r#try: words.map(|words| words.r#try.clone()).unwrap_or_default(),
            because: diagnosis.because,
            checks: diagnosis.checks,
        }
    }
}
