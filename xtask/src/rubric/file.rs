//! The file `rubric.toml`. Every mistake in it is an error that names its line.

use std::ops::Range;
use std::path::{Component, Path};

use anyhow::anyhow;
use serde::Deserialize;
use suite::Practical;
use toml::Spanned;

use super::{FULL_MARKS, ProgramRow, Row, Rubric, needs};
use crate::explanations::Explanations;
use crate::languages::{self, Language};
use crate::patterns::Pattern;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    session: u32,
    branch: String,
    pass_mark: Option<Spanned<u32>>,
    /// The points of checks that only the instructor's repository has.
    #[serde(default)]
    withheld: u32,
    program: Vec<Spanned<ProgramRow>>,
    #[serde(default)]
    language: Vec<Language>,
    #[serde(default)]
    shared: Vec<Spanned<ProgramRow>>,
    check: Vec<CheckRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckRow {
    pub(super) id: Spanned<String>,
    points: Spanned<u32>,
    #[serde(default)]
    pub(super) needs: Vec<Spanned<String>>,
    claim: String,
    hint: Hints,
    #[serde(default)]
    pub(super) hidden: bool,
    given: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a hint, or a list of hints")]
enum Hints {
    One(String),
    Steps(Vec<String>),
}

/// Reads the text of a rubric; `shown` is the file's name in errors.
pub(super) fn read(
    practical: &'static Practical,
    folder: &Path,
    shown: &str,
    text: &str,
) -> anyhow::Result<Rubric> {
    let source = Source { shown, text };
    let file: File = toml::from_str(text)
        .map_err(|error| source.wrong(error.span(), first_line(error.message())))?;
    source.check(practical, &file)?;
    Ok(file.into_rubric(practical, folder))
}

impl File {
    fn into_rubric(self, practical: &'static Practical, folder: &Path) -> Rubric {
        Rubric {
            practical,
            folder: folder.to_owned(),
            title: self.title,
            session: self.session,
            branch: self.branch,
            pass_mark: self.pass_mark.map_or(FULL_MARKS, Spanned::into_inner),
            checks: self.check.into_iter().filter_map(|row| row.into_row(practical)).collect(),
            explanations: Explanations::default(),
            languages: languages::with(self.language),
            programs: self.program.into_iter().map(Spanned::into_inner).collect(),
            shared: self.shared.into_iter().map(Spanned::into_inner).collect(),
        }
    }
}

impl CheckRow {
    fn into_row(self, practical: &'static Practical) -> Option<Row> {
        Some(Row {
            check: practical.checks().find(|check| check.id == self.id.as_ref())?,
            points: self.points.into_inner(),
            needs: self.needs.into_iter().map(Spanned::into_inner).collect(),
            claim: self.claim,
            hints: match self.hint {
                Hints::One(hint) => vec![hint],
                Hints::Steps(hints) => hints,
            },
            hidden: self.hidden,
            given: self.given,
        })
    }
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

pub(super) struct Source<'a> {
    shown: &'a str,
    text: &'a str,
}

impl Source<'_> {
    /// Returns an error that names its line.
    pub(super) fn wrong(
        &self,
        at: Option<Range<usize>>,
        what: impl std::fmt::Display,
    ) -> anyhow::Error {
        match at {
            Some(at) => {
                let line = self.text.get(..at.start).unwrap_or(self.text).matches('\n').count() + 1;
                anyhow!("{}:{line}: {what}", self.shown)
            }
            None => anyhow!("{}: {what}", self.shown),
        }
    }

    fn check(&self, practical: &Practical, file: &File) -> anyhow::Result<()> {
        self.check_programs(practical, &file.program)?;
        file.program.iter().chain(&file.shared).try_for_each(|row| self.check_files(row))?;
        self.check_languages(&file.language)?;
        self.check_ids(practical, &file.check)?;
        self.check_points(file)?;
        needs::check(self, &file.check)
    }

    fn check_programs(
        &self,
        practical: &Practical,
        rows: &[Spanned<ProgramRow>],
    ) -> anyhow::Result<()> {
        let rows = rows.iter().map(|row| (row.span(), row.as_ref().name.as_str()));
        self.check_rows(practical, "program", "name", practical.programs.to_vec(), rows.collect())
    }

    fn check_ids(&self, practical: &Practical, rows: &[CheckRow]) -> anyhow::Result<()> {
        let rows = rows.iter().map(|row| (row.id.span(), row.id.as_ref().as_str()));
        let known = practical.checks().map(|check| check.id).collect();
        self.check_rows(practical, "check", "id", known, rows.collect())
    }

    /// Checks that each known name has exactly one row, and that no other name has one.
    fn check_rows(
        &self,
        practical: &Practical,
        what: &str,
        key: &str,
        known: Vec<&str>,
        rows: Vec<(Range<usize>, &str)>,
    ) -> anyhow::Result<()> {
        for (number, (at, name)) in rows.iter().enumerate() {
            let at = Some(at.clone());
            if !known.contains(name) {
                return Err(self.wrong(at, format!("{} has no {what} {name:?}", practical.name)));
            }
            if rows[..number].iter().any(|(_, other)| other == name) {
                return Err(self.wrong(at, format!("the {what} {name:?} has a row already")));
            }
        }
        match known.into_iter().find(|name| !rows.iter().any(|(_, row)| row == name)) {
            Some(name) => Err(self.wrong(None, format!("no [[{what}]] with the {key} {name:?}"))),
            None => Ok(()),
        }
    }

    /// Checks that files of a submission are in the program's own folder.
    fn check_files(&self, row: &Spanned<ProgramRow>) -> anyhow::Result<()> {
        let wrong = |what: String| Err(self.wrong(Some(row.span()), what));
        let ProgramRow { name, files, dependencies, .. } = row.as_ref();
        if files.is_empty() {
            return wrong(format!("{name:?} has no files: name those that are graded"));
        }
        if let Some(file) = files.iter().find(|file| !is_own(file)) {
            return wrong(format!("{file:?} is no path in the folder of {name:?}"));
        }
        if let Some(other) = dependencies.iter().find(|name| !is_package(name)) {
            return wrong(format!("{other:?} is no package: name it as crates.io does"));
        }
        match files.iter().find_map(|file| Pattern::new(file).err()) {
            Some(error) => wrong(format!("{error:#}")),
            None => Ok(()),
        }
    }

    fn check_languages(&self, rows: &[Language]) -> anyhow::Result<()> {
        let mut files = rows.iter().flat_map(|row| &row.files);
        match files.find_map(|file| Pattern::new(file).err()) {
            Some(error) => Err(self.wrong(None, format!("{error:#}"))),
            None => Ok(()),
        }
    }

    fn check_points(&self, file: &File) -> anyhow::Result<()> {
        if let Some(row) = file.check.iter().find(|row| *row.points.as_ref() == 0) {
            return Err(self.wrong(Some(row.points.span()), "a check is worth at least 1 point"));
        }
        let points = file.check.iter().map(|row| u64::from(*row.points.as_ref()));
        let sum = points.sum::<u64>() + u64::from(file.withheld);
        if sum != u64::from(FULL_MARKS) {
            let last = file.check.last().map(|row| row.points.span());
            return Err(
                self.wrong(last, format!("the points add up to {sum}, not to {FULL_MARKS}"))
            );
        }
        match &file.pass_mark {
            Some(mark) if *mark.as_ref() > FULL_MARKS || *mark.as_ref() == 0 => {
                Err(self
                    .wrong(Some(mark.span()), format!("a pass mark is between 1 and {FULL_MARKS}")))
            }
            _ => Ok(()),
        }
    }
}

fn is_package(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !name.is_empty() && name.chars().all(is_word)
}

/// Returns whether a path stays in its folder.
fn is_own(pattern: &str) -> bool {
    let mut parts = Path::new(pattern).components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutations::Inputs;

    /// Reads the real rubric with one change.
    #[track_caller]
    fn check(from: &str, to: &str, says: &str) {
        let real = include_str!("../../../practicals/echo/rubric.toml");
        assert!(real.contains(from), "the rubric has no {from:?}");
        let text = real.replacen(from, to, 1);
        let practical = suite::practical("echo").unwrap();
        let read = read(practical, Path::new("."), "rubric.toml", &text);
        let error = read.map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("rubric.toml") && error.contains(says), "{error}");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        check("title ", "colour = 1\ntitle ", "rubric.toml:4: unknown field `colour`");
    }

    #[test]
    fn an_unknown_check_is_named() {
        check("\"echoes_short_message\"", "\"echoes_shout\"", "has no check \"echoes_shout\"");
    }

    #[test]
    fn a_check_that_is_missing_is_named() {
        check(
            "id     = \"echoes_short_message\"",
            "id     = \"echoes_large_message\"",
            "has a row already",
        );
    }

    #[test]
    fn points_must_add_up() {
        check("points = 6", "points = 7", "the points add up to 101, not to 100");
    }

    #[test]
    fn a_check_is_worth_something() {
        check("points = 6", "points = 0", "a check is worth at least 1 point");
    }

    #[test]
    fn a_program_has_one_row_with_files_of_its_own() {
        check(
            "name  = \"echo_client\"",
            "name  = \"echo_server\"",
            "the program \"echo_server\" has a row already",
        );
        check(
            "files = [",
            "files = [\"../x\", ",
            "\"../x\" is no path in the folder of \"echo_server\"",
        );
        check(
            "files = [",
            "files = [\"/etc/passwd\", ",
            "\"/etc/passwd\" is no path in the folder",
        );
        check("files = [", "files = []\n# [", "\"echo_server\" has no files");
        check("files = [", "files = [\"src/**.rs\", ", "\"**.rs\" is not a file pattern");
        check("files = [", "dependencies = [\"tokio 1\"]\nfiles = [", "is no package");
    }

    #[test]
    fn a_circle_of_needs_is_shown() {
        check(
            "points = 6\nneeds  = []",
            "points = 6\nneeds  = [\"adds_nothing\"]",
            "circle: echoes_short_message → adds_nothing → echoes_short_message",
        );
    }

    #[test]
    fn a_need_must_be_a_check() {
        check("needs  = []", "needs  = [\"nothing\"]", "needs \"nothing\", which is no check");
    }

    /// A small rubric is read more often in the same time than the real one.
    const SMALL: &str = "title = \"T\"\nsession = 1\nbranch = \"b\"\npass_mark = 50\nwithheld = 94\n\
        [[program]]\nname = \"echo_server\"\nfiles = [\"src/**/*.rs\"]\ndependencies = [\"mio\"]\n\
        [[check]]\nid = \"listens\"\npoints = 6\nneeds = []\nclaim = \"c\"\nhint = [\"h\"]\n";

    #[test]
    fn a_bad_rubric_is_refused_in_one_line() {
        let words = ["[[check]]", "[[language]]", "hidden = true", "needs = [\"a\"]", "[a]", "**"];
        let practical = suite::practical("echo").unwrap();
        let real = include_str!("../../../practicals/echo/rubric.toml");
        for (name, right, one_in) in [("small rubrics", SMALL, 1), ("rubrics", real, 40)] {
            Inputs { right: &[right.as_bytes()], words: &words, one_in }.check(name, |input| {
                let text = String::from_utf8_lossy(input);
                read(practical, Path::new("."), "rubric.toml", &text).map(drop)
            });
        }
    }

    #[test]
    fn no_check_waits_for_a_hidden_one() {
        let first = "id     = \"echoes_short_message\"";
        check(first, &format!("hidden = true\n{first}"), "which is hidden");
    }

    #[test]
    fn a_hint_is_text() {
        check("hint   = [", "hint   = [ 1,", "a hint, or a list of hints");
    }
}
