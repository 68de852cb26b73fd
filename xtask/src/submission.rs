//! From a submission to sources: finds the programs where students put them, and copies the files
//! that the rubric lists, and no others, into a folder of the harness's own, under the harness's
//! own manifests.
//!
//! Nothing of a submission is ever read by git, by cargo's search for its settings, or by rustup:
//! what is copied is all there is. The copy is kept from grading to grading, and a file that has
//! not changed is not touched, so that cargo builds only what the student has edited.

mod archive;
mod copy;
mod desk;
mod find;
mod holder;
mod listed;
mod names;
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

/// What is to be built, or run as it is.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) programs: Vec<Source>,
    /// What is graded, as the report calls it.
    pub(crate) submission: String,
    /// What was left out of it, and what was changed in it that is not the student's, in sentences.
    pub(crate) notes: Vec<String>,
}

/// One program.
#[derive(Debug)]
pub(crate) enum Source {
    Crate(StagedCrate),
    Other(StagedProgram),
    Command(ProgramCommand),
    /// It was built before.
    Ready(ReadyProgram),
    /// It is refused, or not there.
    Unusable(Unbuilt),
}

/// A crate whose listed files were copied.
#[derive(Debug)]
pub(crate) struct StagedCrate {
    pub(crate) name: String,
    /// Where the copy is.
    pub(crate) folder: PathBuf,
    /// Where cargo builds it: for this crate of this submission alone, since a shared folder hands
    /// out another's program.
    pub(crate) target: PathBuf,
    /// Where it came from, as a person would write it.
    pub(crate) origin: String,
    /// Changes with the name or content of any of its files.
    pub(crate) fingerprint: u64,
    /// The copies of the libraries that it shares with the submission's other programs.
    pub(crate) libraries: Vec<PathBuf>,
    /// The address that it always uses, where it takes none.
    pub(crate) address: Option<SocketAddr>,
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

/// A program that the request brings along.
fn given(request: &GradeRequest, name: &str) -> Option<Source> {
    let ready = request.ready.iter().find(|ready| ready.name == name);
    let command = || request.programs.iter().find(|given| given.name == name);
    ready
        .map(|ready| Source::Ready(ready.clone()))
        .or_else(|| command().map(|command| Source::Command(command.clone())))
}

impl Sources {
    /// Returns what tells one state of each program from another. Of a command it is not known what
    /// it stands for: it may have changed at any time.
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

/// Removes the copies, and what was built of them: for submissions that are graded once.
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

/// What is looked through for programs.
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
            if !place.is_dir() && !place.is_file() {
                bail!(
                    "--submission {}: there is no such folder and no such archive",
                    place.display()
                );
            }
            fs::canonicalize(place).with_context(|| format!("--submission {}", place.display()))
        }
    }
}
