//! One manifest for each crate, wherever it is graded: the course's, with what counts of the
//! student's.
//!
//! Nothing else of a student's manifest reaches cargo: no build script, no source of packages, no
//! path outside `src/`.

mod course;
mod dependencies;
mod targets;
#[cfg(test)]
mod tests;
mod text;

use std::path::{Path, PathBuf};

use anyhow::Context;
use toml::{Table, Value};

use super::listed::Files;
pub(crate) use course::course_files;
pub(super) use course::{Course, packages};
use text::Manifest;

/// The editions that cargo knows.
const EDITIONS: [&str; 4] = ["2015", "2018", "2021", "2024"];

/// Tables that count as they are.
const WHOLE: [&str; 2] = ["features", "profile"];

/// Keys of `[package]` that change nothing in a build without tests and examples.
const WITHOUT_EFFECT: [&str; 3] = ["autotests", "autoexamples", "autobenches"];

/// What becomes of a student's manifest.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) text: String,
    /// The keys that differ from the course's and do not count, with their lines.
    pub(super) ignored: Vec<(String, usize)>,
    /// The dependencies that the rubric does not allow.
    pub(super) refused: Vec<Refused>,
    /// Whether it names packages of a registry.
    pub(super) downloads: bool,
}

/// A dependency that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) name: String,
    /// Its place in the student's manifest, and what to do.
    pub(crate) says: String,
}

/// Merges a student's manifest into the course's. A mistake in it is an error that names the line.
/// `main` is the program's file, unless the manifest chooses it.
pub(super) fn merge(
    course: &Course,
    theirs: Option<(&str, &[u8])>,
    files: &Files,
    main: Option<&Path>,
) -> anyhow::Result<Merged> {
    let theirs = match theirs {
        Some((shown, content)) => Manifest::read(shown, content)?,
        None => Manifest::of(course.manifest.clone()),
    };
    let mut merge = Merge::new(course, &theirs, files, main);
    merge.package()?;
    merge.targets()?;
    merge.dependencies()?;
    merge.whole_tables()?;
    merge.lints()?;
    merge.others();
    merge.finish()
}

/// A merge that is under way.
struct Merge<'a> {
    course: &'a Course,
    theirs: &'a Manifest,
    files: &'a Files,
    main: Option<&'a Path>,
    merged: Table,
    ignored: Vec<(String, usize)>,
    refused: Vec<Refused>,
    downloads: bool,
}

impl<'a> Merge<'a> {
    fn new(
        course: &'a Course,
        theirs: &'a Manifest,
        files: &'a Files,
        main: Option<&'a Path>,
    ) -> Self {
        let (merged, ignored, refused) = (Table::new(), Vec::new(), Vec::new());
        Self { course, theirs, files, main, merged, ignored, refused, downloads: false }
    }

    fn ignore(&mut self, path: &[&str]) {
        self.ignored.push((path.join("."), self.theirs.line(path)));
    }

    fn package(&mut self) -> anyhow::Result<()> {
        let theirs = self.theirs.table_at("package")?.with_context(|| self.no_package())?;
        if !theirs.contains_key("name") {
            return Err(self.theirs.wrong(&["package"], "[package] has no `name`"));
        }
        let mut package = self.course.table("package");
        for (key, value) in theirs {
            if self.counts(key, value)? {
                package.insert(key.clone(), value.clone());
            } else if package.get(key) != Some(value) && !is_without_effect(key, value) {
                self.ignore(&["package", key]);
            }
        }
        package.insert("build".to_owned(), false.into());
        self.merged.insert("package".to_owned(), package.into());
        Ok(())
    }

    fn no_package(&self) -> String {
        format!("{}: there is no [package] in it", self.theirs.place(&[]))
    }

    /// Returns whether a key of `[package]` counts. A library keeps the name by which programs
    /// depend on it.
    fn counts(&self, key: &str, value: &Value) -> anyhow::Result<bool> {
        match (key, value) {
            ("name", Value::String(name)) if is_name(name) => Ok(!self.course.is_library),
            ("name", _) => {
                let what = "a package's name is letters, digits, - and _, a letter first";
                Err(self.theirs.wrong(&["package", "name"], what))
            }
            ("edition", Value::String(edition)) if EDITIONS.contains(&&**edition) => Ok(true),
            ("edition", Value::Table(_)) => Ok(false), // inherited from a workspace
            ("edition", _) => {
                let what = format!("the edition is one of {:?}", EDITIONS);
                Err(self.theirs.wrong(&["package", "edition"], what))
            }
            ("autobins" | "autolib", Value::Boolean(_)) => Ok(true),
            _ => Ok(false),
        }
    }

    fn whole_tables(&mut self) -> anyhow::Result<()> {
        for key in WHOLE {
            if let Some(table) = self.theirs.table_at(key)? {
                self.check_rows(key, table)?;
                self.merged.insert(key.to_owned(), table.clone().into());
            }
        }
        self.drop_features_of_refused();
        Ok(())
    }

    /// Checks the rows of a table: a feature is a list, and a profile and a group of lints a table.
    fn check_rows(&self, key: &str, table: &Table) -> anyhow::Result<()> {
        let is_list = key == "features";
        let fits = |row: &Value| if is_list { is_words(row) } else { row.is_table() };
        let shape = if is_list { "a list of names: write" } else { "a table: write" };
        match table.iter().find(|(_, row)| !fits(row)) {
            Some((name, _)) if is_list => {
                Err(self.theirs.wrong(&[key, name], format!("`{name}` is {shape} {name} = []")))
            }
            Some((name, _)) => {
                Err(self.theirs.wrong(&[key, name], format!("`{name}` is {shape} [{key}.{name}]")))
            }
            None => Ok(()),
        }
    }

    /// Copies the lints, without those of a workspace.
    fn lints(&mut self) -> anyhow::Result<()> {
        let Some(lints) = self.theirs.table_at("lints")? else { return Ok(()) };
        let mut lints = lints.clone();
        if lints.remove("workspace").is_some() {
            self.ignore(&["lints", "workspace"]);
        }
        self.check_rows("lints", &lints)?;
        self.merged.insert("lints".to_owned(), lints.into());
        Ok(())
    }

    /// Notes the tables that never count.
    fn others(&mut self) {
        const KNOWN: [&str; 6] = ["package", "lints", "bin", "lib", "dependencies", "target"];
        for (key, value) in &self.theirs.table {
            let is_known = KNOWN.contains(&&**key) || WHOLE.contains(&&**key);
            let is_empty = value.as_table().is_some_and(Table::is_empty);
            if !is_known && !is_empty && self.course.manifest.get(key) != Some(value) {
                self.ignore(&[key]);
            }
        }
    }

    /// Ends with a workspace: cargo does not search for another one.
    fn finish(mut self) -> anyhow::Result<Merged> {
        self.merged.insert("workspace".to_owned(), Table::new().into());
        self.ignored.sort_by_key(|(_, line)| *line);
        Ok(Merged {
            text: toml::to_string(&self.merged).context("a manifest cannot be written")?,
            ignored: self.ignored,
            refused: self.refused,
            downloads: self.downloads,
        })
    }
}

fn is_words(row: &Value) -> bool {
    row.as_array().is_some_and(|words| words.iter().all(Value::is_str))
}

fn is_without_effect(key: &str, value: &Value) -> bool {
    WITHOUT_EFFECT.contains(&key) || (key == "build" && value.as_bool() == Some(false))
}

fn is_name(name: &str) -> bool {
    const LONGEST: usize = 64;
    name.len() <= LONGEST
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Returns a path as cargo means it, if it stays below `src/`.
fn below_src(path: &str) -> Option<PathBuf> {
    let path = path.replace('\\', "/");
    let mut parts = path.split('/').filter(|part| !matches!(*part, "" | ".")).peekable();
    let stays = !path.starts_with('/') && parts.peek() == Some(&"src");
    let parts: Vec<&str> = parts.collect();
    (stays && parts.len() > 1 && !parts.contains(&"..")).then(|| parts.iter().collect())
}
