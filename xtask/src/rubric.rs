//! The rubric of a practical: what each check is worth, what it needs, claims and hints.
//!
//! `practicals/PRACTICAL/rubric.toml`. Every mistake in it is an error that names its line.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;
use suite::{Check, Planned, Practical};
use toml::Spanned;

use crate::explanations::{self, Explanations};
use crate::languages::{self, Language};
use crate::repository::Repository;

/// The sum of all points.
pub(crate) const FULL_MARKS: u32 = 100;

/// A rubric that was read and found consistent with the suite.
#[derive(Debug)]
pub(crate) struct Rubric {
    pub(crate) practical: &'static Practical,
    pub(crate) folder: PathBuf,
    pub(crate) title: String,
    pub(crate) session: u32,
    pub(crate) branch: String,
    pub(crate) pass_mark: u32,
    pub(crate) programs: Vec<ProgramRow>,
    /// How programs are recognised, built and started.
    pub(crate) languages: Vec<Language>,
    /// Library crates of the submission's own that its programs have as a path dependency beside
    /// them.
    pub(crate) shared: Vec<ProgramRow>,
    /// In the rubric's order.
    pub(crate) checks: Vec<Row>,
    /// What is said about the mistakes that the grader can name.
    pub(crate) explanations: Explanations,
}

/// One program of the practical, or one library that its programs share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramRow {
    pub(crate) name: String,
    /// Which files a submission may bring for it: paths in the folder that has its name, with `*`
    /// and `**`.
    pub(crate) files: Vec<String>,
    /// The address that every submission of it uses, where the practical gives it none.
    pub(crate) address: Option<std::net::SocketAddr>,
}

/// One check's row.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) check: &'static Check,
    pub(crate) points: u32,
    pub(crate) needs: Vec<String>,
    pub(crate) claim: String,
    pub(crate) hints: Vec<String>,
    /// The instructor's alone.
    pub(crate) hidden: bool,
    /// What the skeleton brings along, where it passes this check unfinished.
    pub(crate) given: Option<String>,
}

impl Rubric {
    pub(crate) fn row(&self, id: &str) -> Option<&Row> {
        self.checks.iter().find(|row| row.check.id == id)
    }

    /// The checks that these words name: ids, groups or programs; all where there is no word.
    pub(crate) fn plan(&self, only: &[String]) -> anyhow::Result<Vec<Planned>> {
        if let Some(word) =
            only.iter().find(|word| !self.checks.iter().any(|row| names(word, row.check)))
        {
            bail!(
                "--only {word}: no check, group or program of {} is called so (cargo xtask list)",
                self.practical.name
            );
        }
        let chosen = |row: &&Row| only.is_empty() || only.iter().any(|word| names(word, row.check));
        Ok(self
            .checks
            .iter()
            .filter(chosen)
            .map(|row| Planned { check: row.check, needs: row.needs.clone() })
            .collect())
    }
}

/// A program's name means the checks that need no other program.
fn names(word: &str, check: &Check) -> bool {
    word == check.id || word == check.group || check.programs == [word]
}

// ---- the file ----

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    session: u32,
    branch: String,
    pass_mark: Option<Spanned<u32>>,
    /// Points of checks that are not in this repository: the instructor's alone.
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
struct CheckRow {
    id: Spanned<String>,
    points: Spanned<u32>,
    #[serde(default)]
    needs: Vec<Spanned<String>>,
    claim: String,
    hint: Hints,
    #[serde(default)]
    hidden: bool,
    given: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a hint, or a list of hints")]
enum Hints {
    One(String),
    Steps(Vec<String>),
}

/// Reads the rubric of a practical.
pub(crate) fn read(repository: &Repository, name: &str) -> anyhow::Result<Rubric> {
    let folder = repository.practical(name)?;
    let practical =
        suite::practical(name).with_context(|| format!("there is no practical {name:?}"))?;
    read_from(practical, &folder, &repository.relative(&folder.join("rubric.toml")))
}

/// Reads it from the practical's folder; `shown` is how the file is called in errors.
pub(crate) fn read_from(
    practical: &'static Practical,
    folder: &Path,
    shown: &str,
) -> anyhow::Result<Rubric> {
    let text = std::fs::read_to_string(folder.join("rubric.toml"))
        .map_err(|error| anyhow!("the rubric {shown} cannot be read: {error}"))?;
    let source = Source { shown, text: &text };
    let file: File = toml::from_str(&text)
        .map_err(|error| source.wrong(error.span(), first_line(error.message())))?;
    let rubric = source.check(practical, file, folder)?;
    Ok(Rubric { explanations: explanations::read(practical, folder)?, ..rubric })
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

struct Source<'a> {
    shown: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn wrong(&self, at: Option<Range<usize>>, what: impl std::fmt::Display) -> anyhow::Error {
        match at {
            Some(at) => {
                let line = self.text.get(..at.start).unwrap_or(self.text).matches('\n').count() + 1;
                anyhow!("{}:{line}: {what}", self.shown)
            }
            None => anyhow!("{}: {what}", self.shown),
        }
    }

    fn check(
        &self,
        practical: &'static Practical,
        file: File,
        folder: &Path,
    ) -> anyhow::Result<Rubric> {
        self.check_programs(practical, &file.program)?;
        self.check_files(file.program.iter().chain(&file.shared))?;
        self.check_ids(practical, &file.check)?;
        self.check_points(&file)?;
        self.check_needs(&file.check)?;
        let checks = file.check.into_iter().filter_map(|row| {
            let check = practical.checks().find(|check| check.id == row.id.as_ref())?;
            let hints = match row.hint {
                Hints::One(hint) => vec![hint],
                Hints::Steps(hints) => hints,
            };
            let needs = row.needs.into_iter().map(Spanned::into_inner).collect();
            Some(Row {
                check,
                points: row.points.into_inner(),
                needs,
                claim: row.claim,
                hints,
                hidden: row.hidden,
                given: row.given,
            })
        });
        Ok(Rubric {
            practical,
            folder: folder.to_owned(),
            title: file.title,
            session: file.session,
            branch: file.branch,
            pass_mark: file.pass_mark.map_or(FULL_MARKS, Spanned::into_inner),
            checks: checks.collect(),
            explanations: Explanations::default(),
            languages: languages::with(file.language),
            programs: file.program.into_iter().map(Spanned::into_inner).collect(),
            shared: file.shared.into_iter().map(Spanned::into_inner).collect(),
        })
    }

    fn check_programs(
        &self,
        practical: &Practical,
        rows: &[Spanned<ProgramRow>],
    ) -> anyhow::Result<()> {
        for (at, row) in rows.iter().enumerate() {
            let name = row.as_ref().name.as_str();
            if !practical.programs.contains(&name) {
                return Err(self.wrong(
                    Some(row.span()),
                    format!("{} has no program {name:?}", practical.name),
                ));
            }
            if rows[..at].iter().any(|other| other.as_ref().name == name) {
                return Err(
                    self.wrong(Some(row.span()), format!("the program {name:?} has a row already"))
                );
            }
        }
        match practical
            .programs
            .iter()
            .find(|name| !rows.iter().any(|row| row.as_ref().name == **name))
        {
            Some(name) => Err(self.wrong(None, format!("no [[program]] with the name {name:?}"))),
            None => Ok(()),
        }
    }

    /// What is taken of a submission lies in the program's own folder.
    fn check_files<'r>(
        &self,
        rows: impl Iterator<Item = &'r Spanned<ProgramRow>>,
    ) -> anyhow::Result<()> {
        let is_own = |pattern: &str| {
            let mut parts = Path::new(pattern).components().peekable();
            parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
        };
        for row in rows {
            let ProgramRow { name, files, .. } = row.as_ref();
            if files.is_empty() {
                return Err(self.wrong(
                    Some(row.span()),
                    format!("{name:?} has no files: name those that are graded"),
                ));
            }
            if let Some(file) = files.iter().find(|file| !is_own(file)) {
                return Err(self.wrong(
                    Some(row.span()),
                    format!("{file:?} is no path in the folder of {name:?}"),
                ));
            }
        }
        Ok(())
    }

    fn check_ids(&self, practical: &Practical, rows: &[CheckRow]) -> anyhow::Result<()> {
        for (at, row) in rows.iter().enumerate() {
            let id = row.id.as_ref();
            if !practical.checks().any(|check| check.id == id) {
                return Err(self.wrong(
                    Some(row.id.span()),
                    format!("{} has no check {id:?}", practical.name),
                ));
            }
            if rows[..at].iter().any(|other| other.id.as_ref() == id) {
                return Err(
                    self.wrong(Some(row.id.span()), format!("the check {id:?} has a row already"))
                );
            }
        }
        match practical.checks().find(|check| !rows.iter().any(|row| row.id.as_ref() == check.id)) {
            Some(check) => {
                Err(self.wrong(None, format!("no [[check]] with the id {:?}", check.id)))
            }
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

    fn check_needs(&self, rows: &[CheckRow]) -> anyhow::Result<()> {
        let by_id: BTreeMap<&str, &CheckRow> =
            rows.iter().map(|row| (row.id.as_ref().as_str(), row)).collect();
        for need in rows.iter().flat_map(|row| &row.needs) {
            if !by_id.contains_key(need.as_ref().as_str()) {
                return Err(self.wrong(
                    Some(need.span()),
                    format!("needs {:?}, which is no check", need.as_ref()),
                ));
            }
        }
        for row in rows {
            if let Some(circle) = circle(row.id.as_ref(), &by_id) {
                return Err(self.wrong(
                    Some(row.id.span()),
                    format!("needs go in a circle: {}", circle.join(" → ")),
                ));
            }
        }
        Ok(())
    }
}

/// The way from a check by its needs back to itself.
fn circle<'a>(start: &'a str, by_id: &BTreeMap<&'a str, &'a CheckRow>) -> Option<Vec<&'a str>> {
    let mut seen = Vec::new();
    let mut ways = vec![vec![start]];
    while let Some(way) = ways.pop() {
        for need in &by_id[way[way.len() - 1]].needs {
            let need = need.as_ref().as_str();
            let further = [way.as_slice(), &[need]].concat();
            if need == start {
                return Some(further);
            }
            if !seen.contains(&need) {
                seen.push(need);
                ways.push(further);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The real rubric with one thing changed in it.
    #[track_caller]
    fn check(from: &str, to: &str, says: &str) {
        let real = include_str!("../../practicals/echo/rubric.toml");
        assert!(real.contains(from), "the rubric has no {from:?}");
        let text = real.replacen(from, to, 1);
        let source = Source { shown: "rubric.toml", text: &text };
        let practical = suite::practical("echo").unwrap();
        let read = toml::from_str::<File>(&text)
            .map_err(|error| source.wrong(error.span(), first_line(error.message())))
            .and_then(|file| source.check(practical, file, Path::new(".")));
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

    #[test]
    fn a_hint_is_text() {
        check("hint   = [", "hint   = [ 1,", "a hint, or a list of hints");
    }
}
