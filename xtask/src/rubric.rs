//! The rubric of a practical, `practicals/PRACTICAL/rubric.toml`: what each check is worth, what it
//! needs, its claim and its hints. Every mistake in it is an error that names its line.

mod file;
mod needs;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;
use suite::{Check, Planned, Practical};

use crate::explanations::{self, Explanations};
use crate::files;
use crate::languages::Language;
use crate::nearest::nearest;
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
    /// Library crates of the submission that its programs have as path dependencies.
    pub(crate) shared: Vec<ProgramRow>,
    /// The checks in the rubric's order.
    pub(crate) checks: Vec<Row>,
    /// The explanations of the mistakes that the grader can name.
    pub(crate) explanations: Explanations,
}

/// One program of the practical, or one library that its programs share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramRow {
    pub(crate) name: String,
    /// Patterns of the files that a submission may bring for it, in the folder that has its name.
    pub(crate) files: Vec<String>,
    /// The address that every submission of it uses, if the practical gives it none.
    pub(crate) address: Option<std::net::SocketAddr>,
    /// The packages that a submission may use, in the versions of the course's lock file.
    #[serde(default)]
    pub(crate) dependencies: Vec<String>,
}

/// One check's row.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) check: &'static Check,
    pub(crate) points: u32,
    pub(crate) needs: Vec<String>,
    pub(crate) claim: String,
    pub(crate) hints: Vec<String>,
    /// Only the instructor has it.
    pub(crate) hidden: bool,
    /// Why an unfinished skeleton passes this check.
    pub(crate) given: Option<String>,
}

impl Rubric {
    pub(crate) fn row(&self, id: &str) -> Option<&Row> {
        self.checks.iter().find(|row| row.check.id == id)
    }

    /// Returns the checks that these words name: ids, groups or programs. Without a word, all
    /// checks.
    pub(crate) fn plan(&self, only: &[String]) -> anyhow::Result<Vec<Planned>> {
        let is_known = |word: &str| self.checks.iter().any(|row| names(word, row.check));
        if let Some(word) = only.iter().find(|word| !is_known(word)) {
            bail!("--only {word}: {}", self.no_such(word));
        }
        let is_chosen =
            |row: &&Row| only.is_empty() || only.iter().any(|word| names(word, row.check));
        let planned =
            |row: &Row| Planned { check: row.check, needs: row.needs.clone(), hidden: row.hidden };
        Ok(self.checks.iter().filter(is_chosen).map(planned).collect())
    }

    fn no_such(&self, word: &str) -> String {
        let groups = self.checks.iter().map(|row| row.check.group);
        let ids = self.checks.iter().map(|row| row.check.id);
        let programs = self.practical.programs.iter().copied();
        let known: Vec<&str> = groups.chain(programs).chain(ids).collect();
        let way_out = match nearest(word, &known) {
            Some(near) => format!("did you mean {near}? (cargo xtask list)"),
            None => "cargo xtask list shows them".to_owned(),
        };
        let name = self.practical.name;
        format!("{name} has no check, group or program called {word:?}; {way_out}")
    }
}

/// Returns whether a word names a check. A program's name means the checks that run no other
/// program.
fn names(word: &str, check: &Check) -> bool {
    word == check.id || word == check.group || check.programs == [word]
}

/// Reads the rubric of a practical.
pub(crate) fn read(repository: &Repository, name: &str) -> anyhow::Result<Rubric> {
    let folder = repository.practical(name)?;
    let practical =
        suite::practical(name).with_context(|| format!("there is no practical {name:?}"))?;
    read_from(practical, &folder, &repository.relative(&folder.join("rubric.toml")))
}

/// Reads the rubric in the practical's folder; `shown` is the file's name in errors.
pub(crate) fn read_from(
    practical: &'static Practical,
    folder: &Path,
    shown: &str,
) -> anyhow::Result<Rubric> {
    let text = files::read_text(&folder.join("rubric.toml"))
        .map_err(|error| anyhow!("the rubric {shown} cannot be read: {error}"))?;
    let rubric = file::read(practical, folder, shown, &text)?;
    Ok(Rubric { explanations: explanations::read(practical, folder)?, ..rubric })
}
