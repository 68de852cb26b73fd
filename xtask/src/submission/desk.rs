//! Collects the files of a submission's programs and adds the course's manifests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use suite::Fnv;

use super::copy::copy;
use super::find::Found;
use super::holder::Holder;
use super::listed::{Files, Taken, read_listed};
use super::{Source, StagedCrate, StagedProgram};
use crate::repository::{self, Repository};
use crate::request::{GradeRequest, Origin};
use crate::rubric::{ProgramRow, Rubric};
use crate::unbuilt::{Reason, Unbuilt};

/// What staging one submission needs.
pub(super) struct Desk<'a> {
    pub(super) repository: &'a Repository,
    pub(super) rubric: &'a Rubric,
    pub(super) request: &'a GradeRequest,
    pub(super) base: &'a Path,
    pub(super) holder: &'a Holder,
    pub(super) notes: Vec<String>,
}

impl Desk<'_> {
    /// Copies one program.
    pub(super) fn stage(&mut self, row: &ProgramRow) -> anyhow::Result<Source> {
        let Some(found) = self.find(&row.name) else {
            return Ok(self.unusable(row, self.base, Reason::Missing(self.where_to_put(row))));
        };
        let from = self.base.join(&found.folder);
        let taken = self.files(row, &found).and_then(|taken| Ok((taken, self.libraries(&found)?)));
        let (taken, libraries) = match taken {
            Ok(taken) => taken,
            Err(why) => {
                return Ok(self.unusable(row, &from, Reason::Refused(format!("{why:#}"))));
            }
        };
        self.note_what_is_left_out(&found, &taken);
        let staged = self
            .copy(row, &from, &taken, libraries)
            .with_context(|| format!("{} cannot be copied", self.repository.relative(&from)))?;
        if found.is_rust() {
            return Ok(Source::Crate(staged));
        }
        let main = found.main.strip_prefix(&found.folder).unwrap_or(&found.main);
        let main = staged.folder.join(main);
        Ok(Source::Other(Box::new(StagedProgram { staged, main, language: found.language })))
    }

    fn copy(
        &self,
        row: &ProgramRow,
        from: &Path,
        taken: &Taken,
        libraries: BTreeMap<String, Files>,
    ) -> anyhow::Result<StagedCrate> {
        let name = format!("{}-{:016x}", self.rubric.practical.name, hash(from));
        let own = repository::target()?.join(name);
        let folder = own.join(&row.name);
        let mut fingerprint = Fnv::default().bytes(&copy(&taken.files, &folder)?.to_be_bytes());
        for (library, files) in &libraries {
            fingerprint = fingerprint.bytes(&copy(files, &own.join(library))?.to_be_bytes());
        }
        Ok(StagedCrate {
            name: row.name.clone(),
            target: own.join("target"),
            origin: self.repository.relative(from),
            fingerprint: fingerprint.finish(),
            libraries: libraries.into_keys().map(|library| own.join(library)).collect(),
            address: self.request.address.or(row.address),
            left: taken.left.clone(),
            folder,
        })
    }

    fn unusable(&self, row: &ProgramRow, from: &Path, reason: Reason) -> Source {
        let origin = self.repository.relative(from);
        Source::Unusable(Unbuilt { program: row.name.clone(), origin, reason })
    }

    fn where_to_put(&self, row: &ProgramRow) -> String {
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

    fn files(&self, row: &ProgramRow, found: &Found) -> anyhow::Result<Taken> {
        let mut taken = self.gather(row, found)?;
        if found.is_rust() {
            self.put_manifests(row, &mut taken.files);
            stand_alone(&mut taken.files);
        }
        Ok(taken)
    }

    /// Returns the files of the libraries that the programs share. The course's manifest names
    /// them, so the skeleton replaces a library that is missing.
    fn libraries(&self, found: &Found) -> anyhow::Result<BTreeMap<String, Files>> {
        let mut libraries = BTreeMap::new();
        for row in self.rubric.shared.iter().filter(|_| found.is_rust()) {
            let is_there =
                |folder: &PathBuf| self.holder.kind(&folder.join("src/lib.rs")).is_some();
            let theirs =
                self.places().into_iter().map(|place| place.join(&row.name)).find(is_there);
            let mut files = match theirs {
                Some(folder) => read_listed(self.holder, &folder, &row.files)?.files,
                None => {
                    let skeletons = Holder::open(&self.rubric.folder)?;
                    read_listed(&skeletons, Path::new(&row.name), &row.files)?.files
                }
            };
            self.put_manifests(row, &mut files);
            stand_alone(&mut files);
            libraries.insert(row.name.clone(), files);
        }
        Ok(libraries)
    }

    /// Replaces the manifest of a submission by the course's. A student's own checkout keeps its
    /// manifest.
    fn put_manifests(&self, row: &ProgramRow, files: &mut Files) {
        if !matches!(self.request.origin, Origin::Submission(_))
            && files.contains_key(Path::new("Cargo.toml"))
        {
            return;
        }
        let ours = [
            self.rubric.folder.join(&row.name),
            self.rubric.folder.join("solution").join(&row.name),
        ];
        let ours = ours.into_iter().find(|folder| folder.join("Cargo.toml").is_file());
        for name in ["Cargo.toml", "Cargo.lock"] {
            files.remove(Path::new(name));
            let content = ours.as_ref().and_then(|folder| fs::read(folder.join(name)).ok());
            let content = content
                .or_else(|| (name == "Cargo.toml").then(|| plain_manifest(&row.name).into_bytes()));
            files.extend(content.map(|content| (PathBuf::from(name), content)));
        }
    }
}

/// Stops cargo's search for a workspace at this manifest.
fn stand_alone(files: &mut Files) {
    if let Some(manifest) = files
        .get_mut(Path::new("Cargo.toml"))
        .filter(|text| !text.windows(11).any(|at| at == b"[workspace]"))
    {
        manifest.extend(b"\n[workspace]\n");
    }
}

/// Returns the manifest of a program that has none.
fn plain_manifest(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n"
    )
}

/// Returns a hash that gives each folder of a submission a folder of the harness.
fn hash(path: &Path) -> u64 {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    Fnv::default().field(path.as_os_str().as_encoded_bytes()).finish()
}
