//! The rows of `attacks.toml`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{anyhow, bail};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::terminal;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    attack: Vec<Attack>,
    elsewhere: Vec<Elsewhere>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attack {
    pub(super) id: String,
    pub(super) act: String,
    pub(super) python: Option<String>,
    #[serde(default)]
    pub(super) solution: bool,
    #[serde(default)]
    pub(super) files: BTreeMap<String, String>,
    /// A command that prepares what files alone cannot express.
    pub(super) make: Option<String>,
    /// The file or folder that is handed in; the whole folder by default.
    pub(super) hand_in: Option<String>,
    /// What the verdict or the report must say.
    #[serde(default, deserialize_with = "words_that_prove")]
    pub(super) expected: Option<String>,
    /// Text that must not appear in any report.
    pub(super) absent: Option<String>,
    pub(super) control: Option<String>,
    /// Whether a right submission is graded beside it, over and over, and must lose nothing.
    #[serde(default)]
    pub(super) beside: bool,
}

/// An attack of the list without a fixture, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    id: String,
    why: String,
}

/// The list's groups, with how many attacks each has.
const LIST: &[(char, usize)] = &[('A', 12), ('B', 15), ('C', 19), ('D', 10), ('E', 15), ('R', 19)];

/// Words of every report: that one of them is there proves nothing.
const OF_EVERY_REPORT: &[&str] = &["", "passed", "failed", "Score"];

fn words_that_prove<'a, D: Deserializer<'a>>(from: D) -> Result<Option<String>, D::Error> {
    let words = String::deserialize(from)?;
    match OF_EVERY_REPORT.contains(&words.trim()) {
        false => Ok(Some(words)),
        true => Err(D::Error::custom(format!(
            "expected = {words:?} proves nothing, because every report may say it; write more of what \
             must be there, such as \"1 passed\""
        ))),
    }
}

impl Table {
    /// Reads the text of a table; `shown` is the file's name in errors.
    pub(super) fn read(shown: &str, text: &str) -> anyhow::Result<Self> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            anyhow!("{shown}:{line}: {}", error.message())
        })
    }

    /// Returns the attacks that `only` names, or all.
    pub(super) fn chosen(&self, only: &[String]) -> anyhow::Result<Vec<&Attack>> {
        if let Some(word) =
            only.iter().find(|word| !self.attack.iter().any(|attack| attack.id == **word))
        {
            bail!("--only {word}: there is no such row");
        }
        Ok(self
            .attack
            .iter()
            .filter(|attack| only.is_empty() || only.contains(&attack.id))
            .collect())
    }

    /// Returns a complaint for each attack of the list that has neither a fixture nor a reason.
    pub(super) fn gaps(&self) -> Vec<String> {
        let listed = LIST
            .iter()
            .flat_map(|(group, most)| (1..=*most).map(move |number| format!("{group}{number}")));
        let known = |id: &String| {
            self.fixtures().contains(&**id) || self.elsewhere.iter().any(|other| other.id == *id)
        };
        listed
            .filter(|id| !known(id))
            .map(|id| format!("{id} has neither a fixture nor a reason"))
            .collect()
    }

    fn fixtures(&self) -> BTreeSet<&str> {
        self.attack.iter().map(|attack| &*attack.id).collect()
    }

    pub(super) fn tell_of_the_others(&self) {
        let all: usize = LIST.iter().map(|(_, most)| most).sum();
        let with = self.fixtures().len();
        terminal::say_line(format_args!(
            "\n{with} of the list's {all} attacks have a fixture; the others:"
        ));
        for Elsewhere { id, why } in &self.elsewhere {
            terminal::say_line(format_args!("{id:<4}  {why}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutations::Inputs;

    #[test]
    fn a_bad_table_is_refused_in_one_line() {
        const RIGHT: &str = "[[attack]]\nid = \"A1\"\nact = \"b\"\nsolution = true\n\
            files = { \"a\" = \"link:b\" }\nexpected = \"c\"\ncontrol = \"d\"\n\
            [[elsewhere]]\nid = \"A2\"\nwhy = \"e\"\n";
        let words = ["[[attack]]", "[[elsewhere]]", "[elsewhere]", "python = \"x\"", "make = 1"];
        let inputs = Inputs { right: &[RIGHT.as_bytes()], words: &words, ..Inputs::default() };
        inputs.check("tables of attacks", |input| {
            let table = Table::read("attacks.toml", &String::from_utf8_lossy(input))?;
            table.gaps();
            table.chosen(&["A1".to_owned()]).map(drop)
        });
    }

    #[test]
    fn a_word_of_every_report_is_no_expectation() {
        for word in OF_EVERY_REPORT {
            let text = format!("[[attack]]\nid = \"A1\"\nact = \"b\"\nexpected = \"{word}\"\n");
            let error = Table::read("attacks.toml", &text).err().unwrap().to_string();
            assert!(
                error.starts_with("attacks.toml:4: ") && error.contains("proves nothing"),
                "{error}"
            );
        }
    }

    #[test]
    fn each_attack_of_the_list_has_a_fixture_or_a_reason() {
        let text = include_str!("../../../../practicals/echo/attacks.toml");
        assert_eq!(Table::read("attacks.toml", text).unwrap().gaps(), Vec::<String>::new());
    }
}
