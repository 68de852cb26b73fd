//! The catalogue of a practical, `practicals/PRACTICAL/mistakes/mistakes.toml`: its known mistakes,
//! and odd programs that are right.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;
use suite::Practical;

/// The programs that `verify` grades.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalogue {
    #[serde(default)]
    pub(crate) mistake: Vec<Mistake>,
    #[serde(default)]
    pub(crate) right: Vec<Right>,
}

/// A program that real students write, with one mistake.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mistake {
    pub(crate) id: String,
    /// The program of the practical that it replaces; the others are the reference solution's.
    pub(crate) program: String,
    /// Completes "the program …".
    pub(crate) does: String,
    /// Exactly these checks fail.
    pub(crate) fails: Vec<String>,
    /// These checks may fail by chance.
    #[serde(default)]
    pub(crate) may_fail: Vec<String>,
    /// The mistakes that it makes; by default the one that its id names.
    makes: Option<Vec<String>>,
    /// The command that starts it in the folder of the mistakes, for a program in another language.
    /// Where its first word is a C source, that is compiled.
    pub(crate) command: Option<String>,
}

impl Mistake {
    /// Returns the names that the grader must give it.
    pub(crate) fn makes(&self) -> BTreeSet<&str> {
        match &self.makes {
            Some(makes) => makes.iter().map(String::as_str).collect(),
            None => BTreeSet::from([self.id.as_str()]),
        }
    }
}

/// A program that looks strange and is right.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Right {
    pub(crate) id: String,
    pub(crate) program: String,
    /// Completes "a program that …".
    pub(crate) odd: String,
    /// As of a mistake.
    pub(crate) command: Option<String>,
}

/// Reads the catalogue in a practical's folder. Returns `None` if there is none, as in the
/// students' repository.
pub(crate) fn read(practical: &Practical, folder: &Path) -> anyhow::Result<Option<Catalogue>> {
    let path = folder.join("mistakes").join("mistakes.toml");
    let shown = format!("practicals/{}/mistakes/mistakes.toml", practical.name);
    if !path.exists() {
        return Ok(None);
    }
    let text = crate::files::read_text(&path).with_context(|| shown.clone())?;
    parse(practical, &shown, &text).map(Some)
}

fn parse(practical: &Practical, shown: &str, text: &str) -> anyhow::Result<Catalogue> {
    let catalogue: Catalogue = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        anyhow!("{shown}:{line}: {}", error.message())
    })?;
    for mistake in &catalogue.mistake {
        if let Some(unknown) = mistake
            .fails
            .iter()
            .chain(&mistake.may_fail)
            .find(|id| !practical.checks().any(|check| check.id == **id))
        {
            bail!("{shown}: {} fails {unknown:?}, which is no check", mistake.id);
        }
    }
    let programs = catalogue.mistake.iter().map(|row| (&row.id, &row.program));
    let programs = programs.chain(catalogue.right.iter().map(|row| (&row.id, &row.program)));
    for (id, program) in programs {
        if !practical.programs.contains(&program.as_str()) {
            bail!(
                "{shown}: {id} stands for {program:?}, which is no program of {}",
                practical.name
            );
        }
    }
    Ok(catalogue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutations::Inputs;

    #[test]
    fn a_bad_catalogue_is_refused_in_one_line() {
        const RIGHT: &str = "[[mistake]]\nid = \"a\"\nprogram = \"echo_server\"\ndoes = \"b\"\n\
            fails = [\"echoes_short_message\"]\nmay_fail = []\nmakes = [\"c\"]\n\
            [[right]]\nid = \"d\"\nprogram = \"echo_client\"\nodd = \"e\"\ncommand = \"f\"\n";
        let words = ["[[right]]", "[[mistake]]", "[mistake]", "makes = 1", "program = \"x\""];
        let practical = suite::practical("echo").unwrap();
        let inputs = Inputs { right: &[RIGHT.as_bytes()], words: &words, ..Inputs::default() };
        inputs.check("catalogues", |input| {
            let catalogue = parse(practical, "mistakes.toml", &String::from_utf8_lossy(input))?;
            catalogue.mistake.iter().for_each(|mistake| _ = mistake.makes());
            Ok(())
        });
    }
}
