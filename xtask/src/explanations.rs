//! What the grader says about each mistake that it can name.
//!
//! `practicals/PRACTICAL/explanations.toml`: students have it, and neither the programs that make
//! these mistakes nor the solutions.

#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;
use suite::{Diagnosis, Practical};

use crate::columns;

/// So many columns are left for what is shown as it stands: `wire` and `code`.
pub(crate) const VERBATIM: usize = 72;

/// So many are left for `does` where it stands beside the mistake's name.
pub(crate) const ONE_LINE: usize = 50;

/// Everything that is said about the mistakes of one practical.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explanations {
    #[serde(default)]
    pub(crate) mistake: Vec<Explanation>,
    /// What is said as it is said elsewhere.
    #[serde(default)]
    same: Vec<Same>,
}

/// Mistakes of which another practical's file tells, and which are made in this one just so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Same {
    practical: String,
    mistakes: Vec<String>,
}

/// One mistake in words. What a report needs must be there; what only `explain` needs may come
/// later, and [`Explanations::gaps`] names it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explanation {
    pub(crate) id: String,
    /// Completes "the program …", in one line.
    pub(crate) does: String,
    /// The checks that typically fail for it.
    #[serde(default)]
    pub(crate) fails: Vec<String>,
    /// How to say so to a student.
    pub(crate) says: String,
    /// What to try.
    pub(crate) r#try: String,
    /// The conversation, drawn as in the report.
    #[serde(default)]
    pub(crate) wire: String,
    /// What such code looks like.
    #[serde(default)]
    pub(crate) code: Snippets,
    /// Why it works on one's own machine.
    #[serde(default)]
    pub(crate) locally: String,
    /// How to mend it: goes on from `try`, and is the idea, not the solution.
    #[serde(default)]
    pub(crate) idea: String,
    /// Where to read on.
    #[serde(default)]
    pub(crate) read: Vec<String>,
    /// The practical in whose file it stands, where that is another one.
    #[serde(skip)]
    pub(crate) from: Option<&'static str>,
}

/// A few lines of wrong code in the languages in which it is typical.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Snippets {
    rust: Option<String>,
    python: Option<String>,
    c: Option<String>,
}

impl Snippets {
    /// Each with the name of its language.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [("Rust", &self.rust), ("Python", &self.python), ("C", &self.c)];
        all.into_iter().filter_map(|(language, code)| Some((language, code.as_deref()?)))
    }
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
    /// All that there is to say about it.
    pub(crate) explanation: Explanation,
}

/// Reads them from a practical's folder, and from its neighbours' where they are the same.
pub(crate) fn read(practical: &Practical, folder: &Path) -> anyhow::Result<Explanations> {
    let mut explanations = read_own(practical, folder)?;
    for same in std::mem::take(&mut explanations.same) {
        let shown = format!("practicals/{}/explanations.toml", practical.name);
        let neighbour = suite::practical(&same.practical)
            .with_context(|| format!("{shown}: there is no practical {:?}", same.practical))?;
        let theirs = read_own(neighbour, &folder.with_file_name(neighbour.name))?;
        for id in &same.mistakes {
            if explanations.of(id).is_some() {
                bail!("{shown}: the mistake {id:?} has a row already");
            }
            let row = theirs
                .of(id)
                .with_context(|| format!("{shown}: {} has no mistake {id:?}", neighbour.name))?;
            explanations
                .mistake
                .push(Explanation { from: Some(neighbour.name), ..row.for_checks_of(practical) });
        }
    }
    Ok(explanations)
}

fn read_own(practical: &Practical, folder: &Path) -> anyhow::Result<Explanations> {
    let path = folder.join("explanations.toml");
    let shown = format!("practicals/{}/explanations.toml", practical.name);
    let text = std::fs::read_to_string(&path).with_context(|| shown.clone())?;
    parse(practical, &shown, &text)
}

fn parse(practical: &Practical, shown: &str, text: &str) -> anyhow::Result<Explanations> {
    let explanations: Explanations = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        anyhow!("{shown}:{line}: {}", error.message())
    })?;
    for (at, row) in explanations.mistake.iter().enumerate() {
        if explanations.mistake[..at].iter().any(|other| other.id == row.id) {
            bail!("{shown}: the mistake {:?} has a row already", row.id);
        }
        if let Some(unknown) =
            row.fails.iter().find(|id| !practical.checks().any(|check| check.id == **id))
        {
            bail!("{shown}: {} fails {unknown:?}, which is no check", row.id);
        }
    }
    Ok(explanations)
}

impl Explanations {
    /// What is said about this mistake.
    pub(crate) fn of(&self, id: &str) -> Option<&Explanation> {
        self.mistake.iter().find(|explanation| explanation.id == id)
    }

    /// The mistakes that typically fail this check.
    pub(crate) fn failing<'a>(&'a self, check: &'a str) -> impl Iterator<Item = &'a Explanation> {
        self.mistake.iter().filter(move |row| row.fails.iter().any(|id| id == check))
    }

    /// What is missing, or too wide to be shown.
    pub(crate) fn gaps(&self) -> Vec<String> {
        self.mistake
            .iter()
            .flat_map(|row| row.gaps().into_iter().map(|gap| format!("{} {gap}", row.id)))
            .collect()
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
            explanation: words.cloned().unwrap_or_default(),
        }
    }
}

impl Explanation {
    /// The same words, with those of the checks that this practical has.
    fn for_checks_of(&self, practical: &Practical) -> Self {
        let is_known = |id: &String| practical.checks().any(|check| check.id == *id);
        Self {
            fails: self.fails.iter().filter(|id| is_known(id)).cloned().collect(),
            ..self.clone()
        }
    }

    fn gaps(&self) -> Vec<String> {
        let texts = [
            ("does", &self.does),
            ("says", &self.says),
            ("try", &self.r#try),
            ("wire", &self.wire),
            ("locally", &self.locally),
            ("idea", &self.idea),
        ];
        let empty = texts.iter().filter(|(_, text)| text.trim().is_empty()).map(|(key, _)| *key);
        let lists = [
            ("fails", self.fails.is_empty()),
            ("code", self.code.named().all(|(_, code)| code.trim().is_empty())),
            ("read", self.read.is_empty()),
        ];
        let empty = empty.chain(lists.iter().filter(|(_, empty)| *empty).map(|(key, _)| *key));
        let mut gaps: Vec<String> = empty.map(|key| format!("has no {key:?}")).collect();
        let verbatim =
            self.wire.lines().chain(self.code.named().flat_map(|(_, code)| code.lines()));
        let wide = verbatim.filter(|line| columns::of(line) > VERBATIM);
        gaps.extend(wide.map(|line| format!("has a line of more than {VERBATIM} columns: {line}")));
        if columns::of(&self.does) > ONE_LINE {
            gaps.push(format!("does not say in {ONE_LINE} columns what it does: {}", self.does));
        }
        gaps
    }
}
