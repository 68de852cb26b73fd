//! From a submission to sources: finds the programs where students put them. Copies only the files
//! that the rubric lists into a folder of the harness, under the course's manifests.
//!
//! Git, cargo's search for settings and rustup never see the submission itself, only the copy. The
//! copy is kept from grading to grading. A file that has not changed is not touched, so that cargo
//! builds only what the student has edited.

mod alike;
mod archive;
mod copy;
mod desk;
mod find;
mod gather;
mod holder;
mod left;
mod likeness;
mod listed;
mod manifest;
mod names;
mod near;
mod notes;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use suite::Planned;

use crate::languages::Language;
use crate::repository::Repository;
use crate::request::{GradeRequest, Origin, ProgramCommand, ReadyProgram};
use crate::rubric::Rubric;
use crate::unbuilt::Unbuilt;
use desk::Desk;
use holder::Holder;

pub(crate) use left::{Left, say_beside};
pub(crate) use manifest::{Refused, course_files};

/// The programs to build, or to run as they are.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) programs: Vec<Source>,
    /// The name of the submission in reports.
    pub(crate) submission: String,
    /// What was left out of it or ignored, in sentences.
    pub(crate) notes: Vec<String>,
}

/// One program.
#[derive(Debug)]
pub(crate) enum Source {
    Crate(StagedCrate),
    Other(Box<StagedProgram>),
    Command(ProgramCommand),
    /// It was built before.
    Ready(ReadyProgram),
    /// It is refused or missing.
    Unusable(Unbuilt),
}

/// A crate whose listed files were copied.
#[derive(Debug)]
pub(crate) struct StagedCrate {
    pub(crate) name: String,
    /// The folder of the copy.
    pub(crate) folder: PathBuf,
    /// Where cargo builds it. Each crate of each submission has its own folder: in a shared one,
    /// cargo hands out another student's program.
    pub(crate) target: PathBuf,
    /// Where it came from, relative to the repository.
    pub(crate) origin: String,
    /// Changes with the name or content of any of its files.
    pub(crate) fingerprint: u64,
    /// The copies of the libraries that it shares with the submission's other programs.
    pub(crate) libraries: Vec<PathBuf>,
    /// The address that it always uses, if it takes none.
    pub(crate) address: Option<SocketAddr>,
    /// The student's names of files that have another name in the copy, from the folder on.
    pub(crate) own_names: BTreeMap<PathBuf, PathBuf>,
    /// The dependencies in its manifest that do not count.
    pub(crate) refused: Vec<Refused>,
    /// Whether it needs packages of a registry.
    pub(crate) downloads: bool,
    /// What was left out of the submission.
    pub(crate) left: Vec<Left>,
    /// It has files that it may read while it runs. Then it runs in a copy of its folder.
    pub(crate) has_data: bool,
}

impl StagedCrate {
    /// Says what of this text was left out.
    pub(crate) fn left_out_in(&self, text: &str) -> Option<String> {
        left::named_in(text, &self.left)
    }

    /// Returns the folder to run in, if it is not to be an empty one.
    pub(crate) fn run_folder(&self) -> Option<PathBuf> {
        self.has_data.then(|| self.folder.clone())
    }
}

/// A program in another language whose listed files were copied.
#[derive(Debug)]
pub(crate) struct StagedProgram {
    pub(crate) staged: StagedCrate,
    pub(crate) language: Language,
    /// Its main file, in the copy.
    pub(crate) main: PathBuf,
}

/// Stages every program that the plan runs.
pub(crate) fn stage(
    repository: &Repository,
    rubric: &Rubric,
    plan: &[Planned],
    request: &GradeRequest,
) -> anyhow::Result<Sources> {
    check_programs(rubric, request)?;
    let base = base(repository, rubric, &request.origin)?;
    let holder = Holder::open(&base).with_context(|| format!("--submission {}", base.display()))?;
    let mut desk =
        Desk { repository, rubric, request, base: &base, holder: &holder, notes: Vec::new() };
    let wanted: BTreeSet<&str> =
        plan.iter().flat_map(|planned| planned.check.programs).copied().collect();
    let mut programs = Vec::new();
    for row in rubric.programs.iter().filter(|row| wanted.contains(&*row.name)) {
        programs.push(match given(request, &row.name) {
            Some(given) => given,
            None => desk.stage(row)?,
        });
    }
    desk.check_that_something_is_there(&programs)?;
    desk.note_changes_of_ours();
    Ok(Sources { programs, submission: repository.relative(&base), notes: desk.notes })
}

fn check_programs(rubric: &Rubric, request: &GradeRequest) -> anyhow::Result<()> {
    let practical = rubric.practical;
    match request.programs.iter().find(|given| !practical.programs.contains(&&*given.name)) {
        Some(stranger) => bail!(
            "--program {}: {} has no such program; it has {}",
            stranger.name,
            practical.name,
            practical.programs.join(", ")
        ),
        None => Ok(()),
    }
}

/// Returns a program that the request brings along.
fn given(request: &GradeRequest, name: &str) -> Option<Source> {
    let ready = request.ready.iter().find(|ready| ready.name == name);
    let command = || request.programs.iter().find(|given| given.name == name);
    ready
        .map(|ready| Source::Ready(ready.clone()))
        .or_else(|| command().map(|command| Source::Command(command.clone())))
}

impl Sources {
    /// Returns what was staged of a program.
    pub(crate) fn staged(&self, name: &str) -> Option<&StagedCrate> {
        let staged = self.programs.iter().filter_map(|source| match source {
            Source::Crate(staged) => Some(staged),
            Source::Other(program) => Some(&program.staged),
            Source::Command(_) | Source::Ready(_) | Source::Unusable(_) => None,
        });
        staged.into_iter().find(|staged| staged.name == name)
    }

    /// Returns a fingerprint of each program. What a command runs is not known, so it counts as
    /// changed each time.
    pub(crate) fn fingerprints(&self) -> BTreeMap<String, u64> {
        let print = |source: &Source| match source {
            Source::Crate(staged) => (staged.name.clone(), staged.fingerprint),
            Source::Other(program) => (program.staged.name.clone(), program.staged.fingerprint),
            Source::Command(command) => (command.name.clone(), fastrand::u64(..)),
            Source::Ready(ready) => (ready.name.clone(), fastrand::u64(..)),
            Source::Unusable(unbuilt) => (unbuilt.program.clone(), fastrand::u64(..)),
        };
        self.programs.iter().map(print).collect()
    }
}

/// Removes the copies and what was built from them, for submissions that are graded once.
pub(crate) fn forget(sources: &Sources) -> anyhow::Result<()> {
    for source in &sources.programs {
        let staged = match source {
            Source::Crate(staged) => staged,
            Source::Other(program) => &program.staged,
            Source::Command(_) | Source::Ready(_) | Source::Unusable(_) => continue,
        };
        if let Some(own) = staged.target.parent() {
            fs::remove_dir_all(own).with_context(|| own.display().to_string())?;
        }
    }
    Ok(())
}

/// Returns the folder or archive that holds the programs.
fn base(repository: &Repository, rubric: &Rubric, origin: &Origin) -> anyhow::Result<PathBuf> {
    match origin {
        Origin::Practical => Ok(rubric.folder.clone()),
        Origin::Solution => {
            let solution = rubric.folder.join("solution");
            if !solution.is_dir() {
                bail!("there is no reference solution in {}", repository.relative(&rubric.folder));
            }
            Ok(solution)
        }
        Origin::Submission(place) => {
            let shown = place.display();
            if !place.is_dir() && !place.is_file() {
                bail!("--submission {shown}: there is no such folder and no such archive");
            }
            fs::canonicalize(place).with_context(|| format!("--submission {shown}"))
        }
    }
}
