//! Reads a student's manifest, and remembers the line of each key.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

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
        let mut lines = BTreeMap::new();
        note_lines(text, tree.get_ref(), &[], &mut lines);
        Ok(Self { shown: shown.to_owned(), table, lines })
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

fn note_lines(
    text: &str,
    table: &DeTable<'_>,
    above: &[String],
    lines: &mut BTreeMap<Vec<String>, usize>,
) {
    for (key, value) in table {
        let path = [above, &[key.get_ref().to_string()]].concat();
        lines.insert(path.clone(), line_of(&text.as_bytes()[..key.span().start]));
        note_value(text, value, &path, lines);
    }
}

fn note_value(
    text: &str,
    value: &Spanned<DeValue<'_>>,
    path: &[String],
    lines: &mut BTreeMap<Vec<String>, usize>,
) {
    match value.get_ref() {
        DeValue::Table(table) => note_lines(text, table, path, lines),
        DeValue::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                let path = [path, &[number.to_string()]].concat();
                lines.insert(path.clone(), line_of(&text.as_bytes()[..item.span().start]));
                note_value(text, item, &path, lines);
            }
        }
        _ => {}
    }
}
