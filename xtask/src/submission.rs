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
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use suite::{Folder, Planned};

use crate::languages::Language;
use crate::repository::Repository;
use crate::request::{GradeRequest, Origin, ProgramCommand, ReadyProgram};
use crate::rubric::Rubric;
use crate::unbuilt::Unbuilt;
use desk::Desk;
use holder::Holder;
use listed::Files;

pub(crate) use left::{Left, say_beside};
pub(crate) use manifest::{Refused, course_files};
pub(crate) use store::Store;

/// The programs to build, or to run as they are.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) programs: Vec<Source>,
    /// The name of the submission in reports.
    pub(crate) submission: String,
    /// What was left out of it or ignored, in sentences.
    pub(crate) notes: Vec<String>,
    /// The folder of the copies and of what is built from them. No other grading uses it.
    _room: Folder,
}

/// One program.
#[derive(Debug)]
pub(crate) enum Source {
    Crate(Box<StagedCrate>),
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
    /// The folder of the copy that this grading alone uses.
    pub(crate) folder: PathBuf,
    /// Where this grading builds it, if cargo does not.
    pub(crate) build: PathBuf,
    /// Where what was built is run. No build ever writes there.
    pub(crate) built: PathBuf,
    /// Where its [`Store`] is. Each program of each submission has its own: in a shared one, cargo
    /// hands out another student's program.
    pub(super) store: PathBuf,
    /// The files of the copy.
    pub(super) files: Files,
    /// Where it came from, relative to the repository.
    pub(crate) origin: String,
    /// Changes with the name or content of any of its files.
    pub(crate) fingerprint: u64,
    /// The libraries that it shares with the submission's other programs.
    pub(super) libraries: BTreeMap<String, Files>,
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
    /// Returns the folders in which it may be built.
    pub(crate) fn places_to_build(&self) -> [&Path; 2] {
        [&self.build, &self.store]
    }

    /// Returns where cargo builds it.
    pub(crate) fn cargo_folder(&self) -> PathBuf {
        self.library(&self.name)
    }

    /// Returns the folders of its libraries, where cargo builds it.
    pub(crate) fn library_folders(&self) -> impl Iterator<Item = PathBuf> {
        self.libraries.keys().map(|library| self.library(library))
    }

    fn library(&self, name: &str) -> PathBuf {
        self.store.join("sources").join(name)
    }

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
    scratch: &Path,
) -> anyhow::Result<Sources> {
    check_programs(rubric, request)?;
    let base = base(repository, rubric, &request.origin)?;
    let holder = Holder::open(&base).with_context(|| format!("--submission {}", base.display()))?;
    let room = Folder::passable(scratch, "staged-")?;
    let (base, notes) = (&*base, Vec::new());
    let mut desk =
        Desk { repository, rubric, request, base, holder: &holder, room: room.path(), notes };
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
    let submission = repository.relative(base);
    Ok(Sources { programs, submission, notes: desk.notes, _room: room })
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
            Source::Crate(staged) => Some(&**staged),
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

/// Removes what is kept of the programs, for submissions that are graded once.
pub(crate) fn forget(sources: &Sources) -> anyhow::Result<()> {
    for source in &sources.programs {
        match source {
            Source::Crate(staged) => Store::enter(staged)?.forget()?,
            Source::Other(program) => Store::enter(&program.staged)?.forget()?,
            Source::Command(_) | Source::Ready(_) | Source::Unusable(_) => {}
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
