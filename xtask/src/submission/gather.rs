//! Gathers the files of one program, under the names that they have in the copy.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::desk::Desk;
use super::find::Found;
use super::holder::Kind;
use super::listed::{Taken, listed_files};
use super::names::{fault_of_name, visible};
use crate::languages;
use crate::rubric::ProgramRow;

impl Desk<'_> {
    /// Reads the files of a program. Only its main file must be there and be readable.
    pub(super) fn gather(&self, row: &ProgramRow, found: &Found) -> anyhow::Result<Taken> {
        let is_in_a_crate = found.is_crate() || found.is_one_of_a_crate();
        let patterns = if is_in_a_crate { &row.files } else { &found.language.files };
        let listing = listed_files(self.holder, &found.folder, patterns, &languages::data())?;
        let mut taken = Taken::without(listing.left);
        let shown = visible(found.main.strip_prefix(&found.folder).unwrap_or(&found.main));
        if self.holder.kind(&found.main) != Some(Kind::File) {
            bail!("{shown} is not a regular file");
        }
        let main = self.name_of_main(row, found)?;
        if let Some(why) = fault_of_name(&main) {
            bail!("{shown}: {why}");
        }
        taken.take_main(self.holder, &found.main, main).context(shown)?;
        let is_ours = |path: &&PathBuf| {
            **path == found.main || path.ancestors().any(|above| self.is_the_courses(above))
        };
        for path in listing.files.iter().filter(|path| !is_ours(path)) {
            if let Some(name) = self.name_in_copy(row, found, path)? {
                taken.take(self.holder, path, name);
            }
        }
        let sources = taken.files.len();
        for path in listing.data.iter().filter(|path| !is_ours(path)) {
            let name = path.strip_prefix(&found.folder)?;
            taken.take(self.holder, path, self.placed(row, found, path, name));
        }
        taken.has_data = taken.files.len() > sources;
        Ok(taken)
    }

    /// Returns the main file's name in the copy.
    pub(super) fn name_of_main(&self, row: &ProgramRow, found: &Found) -> anyhow::Result<PathBuf> {
        let name = found.main.strip_prefix(&found.folder)?;
        if found.is_rust() && !is_in_bin(row, name) {
            return Ok("src/main.rs".into());
        }
        if fault_of_name(name).is_none() || found.language.name == "Java" {
            return Ok(self.placed(row, found, &found.main, name));
        }
        let ending = found.main.extension().unwrap_or_default();
        Ok(Path::new(&row.name).with_extension(ending))
    }

    /// Returns a file's name in the copy, or `None` if it is not a part of this program.
    fn name_in_copy(
        &self,
        row: &ProgramRow,
        found: &Found,
        path: &Path,
    ) -> anyhow::Result<Option<PathBuf>> {
        let name = path.strip_prefix(&found.folder)?;
        if found.is_crate() {
            return Ok(Some(name.to_owned()));
        }
        if self.is_other_program(row, found, name) {
            return Ok(None);
        }
        if !found.is_rust() {
            return Ok(Some(self.placed(row, found, path, name)));
        }
        let main = found.main.strip_prefix(&found.folder)?;
        let name = match name.strip_prefix("src/bin") {
            _ if !found.is_one_of_a_crate() => Path::new("src").join(name),
            Ok(within) if !is_in_bin(row, main) => Path::new("src").join(within),
            _ => name.to_owned(),
        };
        Ok(Some(name).filter(|name| name != Path::new("src/main.rs")))
    }

    /// Places a file where its language looks for it: that of Java in the folders of its package,
    /// that of a Python package in a folder with the program's name.
    fn placed(&self, row: &ProgramRow, found: &Found, path: &Path, name: &Path) -> PathBuf {
        if found.language.is_package {
            return Path::new(&row.name).join(name);
        }
        match path.extension().and_then(OsStr::to_str) {
            Some("java") => self.package_of(path).join(path.file_name().unwrap_or_default()),
            _ => name.to_owned(),
        }
    }

    /// Returns whether a file beside a program, or the folder that it is in, is another program.
    fn is_other_program(&self, row: &ProgramRow, found: &Found, name: &Path) -> bool {
        let file = name.file_name();
        let stem =
            name.file_stem().filter(|_| found.main.parent() == found.folder.join(name).parent());
        let folders = name.iter().filter(|part| Some(*part) != file);
        let words: Vec<_> = folders.chain(stem).map(OsStr::to_string_lossy).collect();
        let others = self.rubric.practical.programs.iter().filter(|other| **other != row.name);
        let mut others =
            others.filter(|other| words.iter().any(|word| self.is_called(other, word)));
        others.next().is_some()
    }

    fn is_called(&self, program: &str, word: &str) -> bool {
        use super::likeness::Likeness::{Same, Spelling};
        matches!(self.likeness(program, word), Some(Same | Spelling))
    }
}

/// Returns whether cargo finds the program at this path without being told.
fn is_in_bin(row: &ProgramRow, main: &Path) -> bool {
    main == Path::new("src/bin").join(format!("{}.rs", row.name))
}
