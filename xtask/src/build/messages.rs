//! What cargo says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// Cargo's messages: one JSON object in each line (The Cargo Book, External tools, JSON messages).
#[derive(Default)]
pub(super) struct Messages {
    pub(super) errors: Vec<String>,
    pub(super) executables: BTreeMap<String, PathBuf>,
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-message")]
    Diagnostic { message: Diagnostic },
    #[serde(rename = "compiler-artifact")]
    Artifact { target: Target, executable: Option<PathBuf> },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
    #[serde(default)]
    spans: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Messages {
    pub(super) fn read(output: &[u8]) -> Self {
        let mut messages = Self::default();
        let mut placeless = Vec::new();
        for line in output.split(|byte| *byte == b'\n') {
            match serde_json::from_slice(line) {
                Ok(Message::Diagnostic { message }) if message.level.starts_with("error") => {
                    let has_place = !message.spans.is_empty();
                    let list = if has_place { &mut messages.errors } else { &mut placeless };
                    list.extend(message.rendered);
                }
                Ok(Message::Artifact { target, executable: Some(executable) }) => {
                    messages.executables.insert(target.name, executable);
                }
                _ => {}
            }
        }
        // An error without a place is rustc's summary, unless it is the only error.
        let errors = if messages.errors.is_empty() { placeless } else { messages.errors };
        Self { errors, ..messages }
    }

    /// Returns the executable of this name, or the only one.
    pub(super) fn executable(&self, name: &str) -> Option<&PathBuf> {
        self.executables
            .get(name)
            .or_else(|| self.executables.values().next().filter(|_| self.executables.len() == 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutations::Inputs;

    const PLACELESS: &str = r#"{"reason":"compiler-message","message":{"level":"error","rendered":"no main","spans":[]}}"#;
    const PLACED: &str = r#"{"reason":"compiler-message","message":{"level":"error","rendered":"E0308","spans":[{}]}}"#;

    #[test]
    fn bad_messages_are_no_panic() {
        const ARTIFACT: &str =
            r#"{"reason":"compiler-artifact","target":{"name":"a"},"executable":"/b"}"#;
        let right = [PLACELESS, PLACED, ARTIFACT].map(str::as_bytes);
        let words = ["[", "{", "null", "1e400", "\\ud800", "}\n{"];
        Inputs { right: &right, words: &words, ..Inputs::default() }.check(
            "cargo's messages",
            |input| {
                Messages::read(input).executable("a");
                Ok(())
            },
        );
    }

    #[test]
    fn an_error_without_a_place_is_told_where_there_is_no_other() {
        let errors = |lines: &[&str]| Messages::read(lines.join("\n").as_bytes()).errors;
        assert_eq!(errors(&[PLACELESS]), ["no main"]);
        assert_eq!(errors(&[PLACED, PLACELESS]), ["E0308"]);
    }
}
