//! Collects the files of a submission's programs, and puts the course's manifests to them. A
//! student's own checkout goes the same way as what is handed in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::copy::{copy, fingerprint_of};
use super::find::Found;
use super::holder::{Holder, Kind};
use super::listed::{Files, Taken, read_listed};
use super::manifest::{Course, Refused, merge};
use super::names::visible;
use super::{Source, StagedCrate, StagedProgram};
use crate::keyed::Keyed;
use crate::repository::{self, Repository};
use crate::request::{GradeRequest, Origin};
use crate::rubric::{ProgramRow, Rubric};
use crate::unbuilt::{Reason, Unbuilt};
use anyhow::{Context, bail};

/// What staging one submission needs.
pub(super) struct Desk<'a> {
    pub(super) repository: &'a Repository,
    pub(super) rubric: &'a Rubric,
    pub(super) request: &'a GradeRequest,
    pub(super) base: &'a Path,
    pub(super) holder: &'a Holder,
    /// The folder for the copies.
    pub(super) room: &'a Path,
    pub(super) notes: Vec<String>,
}

impl Desk<'_> {
    /// Copies one program.
    pub(super) fn stage(&mut self, row: &ProgramRow) -> anyhow::Result<Source> {
        let found = match self.find(&row.name) {
            Ok(found) => found,
            Err(unfound) => {
                let why = Reason::Missing(self.why_missing(row, &unfound));
                return Ok(self.unusable(row, self.base, why));
            }
        };
        let from = self.base.join(&found.folder);
        let courses = if found.is_rust() { self.courses(row)? } else { Vec::new() };
        let whole = match self.take(row, &found, &courses) {
            Ok(whole) => whole,
            Err(why) => {
                return Ok(self.unusable(row, &from, Reason::Refused(format!("{why:#}"))));
            }
        };
        self.note_what_is_taken(row, &found);
        self.note_left_out(&found, &whole.taken);
        self.notes.extend(whole.notes.iter().cloned());
        let not_taken = self.not_taken(&found, &whole.taken);
        let own_names = self.own_names(row, &found, &whole.taken.files)?;
        let mut staged = self
            .copy(row, &from, whole)
            .with_context(|| format!("{} cannot be copied", self.repository.relative(&from)))?;
        staged.left.extend(not_taken);
        staged.left = staged.left.into_iter().map(|left| self.named_from_top(left)).collect();
        staged.own_names = own_names;
        if found.is_rust() {
            return Ok(Source::Crate(Box::new(staged)));
        }
        let main = staged.folder.join(self.name_of_main(row, &found)?);
        let language = found.language;
        Ok(Source::Other(Box::new(StagedProgram { staged, main, language })))
    }

    fn copy(&self, row: &ProgramRow, from: &Path, whole: Whole) -> anyhow::Result<StagedCrate> {
        let Whole { taken, libraries, refused, downloads, .. } = whole;
        let submission = format!("{}-{:016x}", self.rubric.practical.name, hash(from));
        let folder = self.room.join(&row.name);
        let mut fingerprint = Keyed::default().field(&copy(&taken.files, &folder)?.to_be_bytes());
        for files in libraries.values() {
            fingerprint = fingerprint.field(&fingerprint_of(files).to_be_bytes());
        }
        Ok(StagedCrate {
            name: row.name.clone(),
            build: self.room.join("build").join(&row.name),
            built: self.room.join("built").join(&row.name),
            store: repository::target()?.join(submission).join(&row.name),
            origin: self.repository.relative(from),
            fingerprint: fingerprint.finish(),
            files: taken.files,
            libraries,
            address: self.request.address.or(row.address),
            left: taken.left,
            has_data: taken.has_data,
            folder,
            own_names: BTreeMap::new(),
            refused,
            downloads,
        })
    }

    fn unusable(&self, row: &ProgramRow, from: &Path, reason: Reason) -> Source {
        let origin = self.repository.relative(from);
        Source::Unusable(Unbuilt { program: row.name.clone(), origin, reason })
    }

    pub(super) fn where_to_put(&self, row: &ProgramRow) -> String {
        format!(
            "no {name}/Cargo.toml in {shown}: put the crate there, or {name} in another language, or name a command with --program {name}=…",
            name = row.name,
            shown = self.repository.relative(self.base)
        )
    }

    /// Returns an error if the submission has none of the programs.
    pub(super) fn check_that_something_is_there(&self, programs: &[Source]) -> anyhow::Result<()> {
        let where_to_put = |source: &Source| match source {
            Source::Unusable(Unbuilt { reason: Reason::Missing(put), .. }) => Some(put.clone()),
            _ => None,
        };
        let missing: Option<Vec<String>> = programs.iter().map(where_to_put).collect();
        match missing.as_deref() {
            Some([first, ..]) => bail!("{first}"),
            _ => Ok(()),
        }
    }

    /// Returns the course's manifests: of the program, and of the libraries that programs share.
    fn courses(&self, row: &ProgramRow) -> anyhow::Result<Vec<Course>> {
        let is_ours = matches!(self.request.origin, Origin::Submission(_));
        let rows = std::iter::once(row).chain(&self.rubric.shared);
        rows.map(|row| Course::find(self.rubric, row, is_ours)).collect()
    }

    /// Returns all that is copied of a program.
    fn take(&self, row: &ProgramRow, found: &Found, courses: &[Course]) -> anyhow::Result<Whole> {
        let mut whole = Whole { taken: self.gather(row, found)?, ..Whole::default() };
        let [course, shared @ ..] = courses else { return Ok(whole) };
        let files = std::mem::take(&mut whole.taken.files);
        let is_crate = found.is_crate() || found.is_one_of_a_crate();
        let has_own = is_crate || found.folder.file_name().is_some_and(|name| *name == *row.name);
        let own = has_own.then_some(&*found.folder);
        let main = (!found.is_crate()).then(|| self.name_of_main(row, found)).transpose()?;
        whole.taken.files = self.with_manifest(own, course, files, main.as_deref(), &mut whole)?;
        for (row, course) in self.rubric.shared.iter().zip(shared) {
            let (folder, files) = self.library(row)?;
            let files = self.with_manifest(folder.as_deref(), course, files, None, &mut whole)?;
            whole.libraries.insert(row.name.clone(), files);
        }
        Ok(whole)
    }

    /// Returns the folder and the files of a library that the programs share. The course's manifest
    /// names it, so the skeleton replaces a library that is missing.
    fn library(&self, row: &ProgramRow) -> anyhow::Result<(Option<PathBuf>, Files)> {
        let is_there = |folder: &PathBuf| self.holder.kind(&folder.join("src/lib.rs")).is_some();
        let theirs = self.places().into_iter().map(|place| place.join(&row.name)).find(is_there);
        let files = match &theirs {
            Some(folder) => read_listed(self.holder, folder, &row.files)?.files,
            None => {
                let skeletons = Holder::open(&self.rubric.folder)?;
                read_listed(&skeletons, Path::new(&row.name), &row.files)?.files
            }
        };
        Ok((theirs, files))
    }

    /// Puts the course's manifest in the place of the one in the student's `folder`, with what
    /// counts of that, and the course's lock file.
    fn with_manifest(
        &self,
        folder: Option<&Path>,
        course: &Course,
        mut files: Files,
        main: Option<&Path>,
        whole: &mut Whole,
    ) -> anyhow::Result<Files> {
        for name in ["Cargo.toml", "Cargo.lock"] {
            files.remove(Path::new(name));
        }
        let theirs = folder.map(|folder| folder.join("Cargo.toml"));
        let theirs = theirs.filter(|path| self.holder.kind(path) == Some(Kind::File));
        let read = |path: &PathBuf| self.holder.read(path).with_context(|| self.shown(path));
        let content = theirs.as_ref().map(read).transpose()?;
        let shown = theirs.as_ref().map(|path| self.shown(path)).unwrap_or_default();
        let theirs_text = content.as_deref().map(|text| (&*shown, text));
        let merged = merge(course, theirs_text, &files, main)?;
        files.insert("Cargo.toml".into(), merged.text.clone().into_bytes());
        files.extend(course.lock.clone().map(|lock| ("Cargo.lock".into(), lock)));
        let notes = theirs.map(|path| self.notes_of_manifest(&path, &merged));
        whole.notes.extend(notes.unwrap_or_default());
        whole.notes.extend(folder.and_then(|folder| self.note_of_lock(folder, course)));
        whole.refused.extend(merged.refused);
        whole.downloads |= merged.downloads;
        Ok(files)
    }

    /// Returns the student's names of files that have another name in the copy: a Rust program that
    /// is no whole crate becomes one.
    fn own_names(
        &self,
        row: &ProgramRow,
        found: &Found,
        files: &Files,
    ) -> anyhow::Result<BTreeMap<PathBuf, PathBuf>> {
        let main = self.name_of_main(row, found)?;
        let is_other = found.is_rust() && !found.is_crate();
        let own = |name: &PathBuf| {
            if *name == main {
                return found.main.strip_prefix(&found.folder).ok().map(Path::to_owned);
            }
            let beside = name.strip_prefix("src").ok()?.to_owned();
            let places = [beside.clone(), Path::new("src/bin").join(beside)];
            let is_there = |place: &PathBuf| self.holder.kind(&found.folder.join(place)).is_some();
            Some(name).filter(|name| !is_there(name)).and(places.into_iter().find(is_there))
        };
        let names = files.keys().filter(|_| is_other);
        Ok(names.filter_map(|name| Some((name.clone(), own(name)?))).collect())
    }

    /// Returns a path as one would type it from the top folder.
    pub(super) fn shown(&self, path: &Path) -> String {
        match &self.request.origin {
            Origin::Submission(given) => visible(&given.join(path)),
            _ => visible(Path::new(&self.repository.relative(&self.base.join(path)))),
        }
    }
}

/// What is copied of a program, and what is said of the rest.
#[derive(Debug, Default)]
struct Whole {
    taken: Taken,
    libraries: BTreeMap<String, Files>,
    notes: Vec<String>,
    refused: Vec<Refused>,
    downloads: bool,
}

/// Returns a hash that gives each folder of a submission a folder of the harness.
fn hash(path: &Path) -> u64 {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    Keyed::default().field(path.as_os_str().as_encoded_bytes()).finish()
}
