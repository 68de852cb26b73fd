//! Reads a student's manifest, and remembers the line of each key.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow, bail};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

/// The most bytes of a manifest. A longer one takes seconds to read.
const MOST_BYTES: usize = 64 * 1024;

/// A manifest as it was handed in.
#[derive(Debug)]
pub(super) struct Manifest {
    /// Its path, for the reader.
    shown: String,
    pub(super) table: Table,
    lines: BTreeMap<Vec<String>, usize>,
}

impl Manifest {
    /// Reads a manifest. A mistake in it is an error that names the line.
    pub(super) fn read(shown: &str, content: &[u8]) -> anyhow::Result<Self> {
        let text = text(shown, content)?;
        let tree = DeTable::parse(text).map_err(|error| malformed(shown, text, &error))?;
        let table = text.parse().map_err(|error| malformed(shown, text, &error))?;
        let mut lines = Lines::of(text);
        lines.note_table(tree.get_ref(), &[]);
        Ok(Self { shown: shown.to_owned(), table, lines: lines.of_keys })
    }

    /// Returns a table that no student wrote.
    pub(super) fn of(table: Table) -> Self {
        Self { shown: String::new(), table, lines: BTreeMap::new() }
    }

    /// Returns the line of a key, or of the nearest table around it.
    pub(super) fn line(&self, path: &[&str]) -> usize {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        let around = (1..=path.len()).rev().find_map(|end| self.lines.get(&path[..end]));
        around.copied().unwrap_or(1)
    }

    /// Returns a place as `FILE:LINE`.
    pub(super) fn place(&self, path: &[&str]) -> String {
        format!("{}:{}", self.shown, self.line(path))
    }

    /// Returns an error that names the line of a key.
    pub(super) fn wrong(&self, path: &[&str], what: impl std::fmt::Display) -> anyhow::Error {
        anyhow!("{}: {what}", self.place(path))
    }

    /// Returns a table of the manifest. Another type is a mistake.
    pub(super) fn table_at(&self, key: &str) -> anyhow::Result<Option<&Table>> {
        let wrong = || self.wrong(&[key], format!("`{key}` is a table: write [{key}]"));
        self.table.get(key).map(|value| value.as_table().with_context(wrong)).transpose()
    }
}

/// Returns the text without a byte order mark.
fn text<'a>(shown: &str, content: &'a [u8]) -> anyhow::Result<&'a str> {
    if content.len() > MOST_BYTES {
        bail!(
            "{shown}: it has {} bytes; a manifest has at most {MOST_BYTES}: shorten it",
            content.len()
        );
    }
    let text = std::str::from_utf8(content).map_err(|error| {
        let line = line_of(&content[..error.valid_up_to()]);
        anyhow!("{shown}:{line}: this is not UTF-8: save the file as UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn malformed(shown: &str, text: &str, error: &toml::de::Error) -> anyhow::Error {
    let at = error.span().map_or(text.len(), |span| span.start);
    let line = line_of(&text.as_bytes()[..at.min(text.len())]);
    let message = error.message().lines().next().unwrap_or_default();
    anyhow!("{shown}:{line}: the manifest cannot be read: {message}")
}

fn line_of(before: &[u8]) -> usize {
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The lines of a text, and of each key in it.
struct Lines {
    /// Where each line ends.
    ends: Vec<usize>,
    of_keys: BTreeMap<Vec<String>, usize>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at).collect();
        Self { ends, of_keys: BTreeMap::new() }
    }

    fn note(&mut self, path: &[String], at: usize) {
        let line = self.ends.partition_point(|end| *end < at) + 1;
        self.of_keys.insert(path.to_owned(), line);
    }

    fn note_table(&mut self, table: &DeTable<'_>, above: &[String]) {
        for (key, value) in table {
            let path = [above, &[key.get_ref().to_string()]].concat();
            self.note(&path, key.span().start);
            self.note_value(value, &path);
        }
    }

    fn note_value(&mut self, value: &Spanned<DeValue<'_>>, path: &[String]) {
        match value.get_ref() {
            DeValue::Table(table) => self.note_table(table, path),
            DeValue::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    let path = [path, &[number.to_string()]].concat();
                    self.note(&path, item.span().start);
                    self.note_value(item, &path);
                }
            }
            _ => {}
        }
    }
}
