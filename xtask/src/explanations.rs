//! What the grader says about each mistake that it can name:
//! `practicals/PRACTICAL/explanations.toml`. Students have this file, but neither the programs that
//! make these mistakes nor the solutions.

#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;
use suite::{Diagnosis, Practical};

use crate::columns;
use crate::files;

/// The columns for text that is not wrapped: `wire` and `code`.
pub(crate) const VERBATIM: usize = 72;

/// The columns for `does` beside the mistake's name.
pub(crate) const ONE_LINE: usize = 50;

/// Everything that is said about the mistakes of one practical.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explanations {
    #[serde(default)]
    pub(crate) mistake: Vec<Explanation>,
    /// Explanations that another practical has.
    #[serde(default)]
    same: Vec<Same>,
}

/// Mistakes that another practical's file explains, and that are the same here.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Same {
    practical: String,
    mistakes: Vec<String>,
}

/// The explanation of one mistake. Reports need the fields without a default;
/// [`Explanations::gaps`] names what is missing for `explain`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explanation {
    pub(crate) id: String,
    /// Completes "the program …", in one line.
    pub(crate) does: String,
    /// The checks that typically fail for it.
    #[serde(default)]
    pub(crate) fails: Vec<String>,
    /// What a student reads.
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
    /// How to mend it: continues `try` with the idea, not the solution.
    #[serde(default)]
    pub(crate) idea: String,
    /// Where to read on.
    #[serde(default)]
    pub(crate) read: Vec<String>,
    /// The other practical whose file it comes from.
    #[serde(skip)]
    pub(crate) from: Option<&'static str>,
}

/// A few lines of typical wrong code in some languages.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Snippets {
    rust: Option<String>,
    python: Option<String>,
    c: Option<String>,
}

impl Snippets {
    /// Returns each snippet with the name of its language.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [("Rust", &self.rust), ("Python", &self.python), ("C", &self.c)];
        all.into_iter().filter_map(|(language, code)| Some((language, code.as_deref()?)))
    }
}

/// A mistake that this grading found, with its explanation.
#[derive(Debug, Clone)]
pub(crate) struct NamedMistake {
    pub(crate) id: &'static str,
    pub(crate) says: String,
    pub(crate) r#try: String,
    /// The evidence in one sentence.
    pub(crate) because: String,
    /// The failed checks that it explains.
    pub(crate) checks: Vec<&'static str>,
    /// The whole explanation.
    pub(crate) explanation: Explanation,
}

/// Reads the explanations of a practical, and those that it shares with other practicals.
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
            let (row, from) = (theirs.of(id), neighbour.name);
            let row = row.with_context(|| format!("{shown}: {from} has no mistake {id:?}"))?;
            let row = Explanation { from: Some(from), ..row.for_checks_of(practical) };
            explanations.mistake.push(row);
        }
    }
    Ok(explanations)
}

fn read_own(practical: &Practical, folder: &Path) -> anyhow::Result<Explanations> {
    let path = folder.join("explanations.toml");
    let shown = format!("practicals/{}/explanations.toml", practical.name);
    let text = files::read_text(&path).with_context(|| shown.clone())?;
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
    /// Returns the explanation of a mistake.
    pub(crate) fn of(&self, id: &str) -> Option<&Explanation> {
        self.mistake.iter().find(|explanation| explanation.id == id)
    }

    /// Returns the mistakes that typically fail this check.
    pub(crate) fn failing<'a>(&'a self, check: &'a str) -> impl Iterator<Item = &'a Explanation> {
        self.mistake.iter().filter(move |row| row.fails.iter().any(|id| id == check))
    }

    /// Returns what is missing or too wide.
    pub(crate) fn gaps(&self) -> Vec<String> {
        self.mistake
            .iter()
            .flat_map(|row| row.gaps().into_iter().map(|gap| format!("{} {gap}", row.id)))
            .collect()
    }

    /// Returns a diagnosis with its explanation.
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
    /// Returns the same explanation with only the checks that this practical has.
    fn for_checks_of(&self, practical: &Practical) -> Self {
        let is_known = |id: &String| practical.checks().any(|check| check.id == *id);
        Self {
            fails: self.fails.iter().filter(|id| is_known(id)).cloned().collect(),
            ..self.clone()
        }
    }

    fn gaps(&self) -> Vec<String> {
        let empty = self.empty_fields().into_iter().map(|key| format!("has no {key:?}"));
        let code = self.code.named().flat_map(|(_, code)| code.lines());
        let wide = self.wire.lines().chain(code).filter(|line| columns::of(line) > VERBATIM);
        let wide = wide.map(|line| format!("has a line of more than {VERBATIM} columns: {line}"));
        let long = (columns::of(&self.does) > ONE_LINE)
            .then(|| format!("does not say in {ONE_LINE} columns what it does: {}", self.does));
        empty.chain(wide).chain(long).collect()
    }

    fn empty_fields(&self) -> Vec<&'static str> {
        let is_empty = |text: &str| text.trim().is_empty();
        let fields = [
            ("does", is_empty(&self.does)),
            ("says", is_empty(&self.says)),
            ("try", is_empty(&self.r#try)),
            ("wire", is_empty(&self.wire)),
            ("locally", is_empty(&self.locally)),
            ("idea", is_empty(&self.idea)),
            ("fails", self.fails.is_empty()),
            ("code", self.code.named().all(|(_, code)| is_empty(code))),
            ("read", self.read.is_empty()),
        ];
        fields.into_iter().filter(|(_, empty)| *empty).map(|(key, _)| key).collect()
    }
}
