//! Gathers the files of one program, under the names that they have in the copy.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::desk::Desk;
use super::find::Found;
use super::holder::Kind;
use super::listed::{Taken, listed_files};
use super::names::visible;
use crate::rubric::ProgramRow;

impl Desk<'_> {
    /// Reads the files of a program. Only its main file must be there and be readable.
    pub(super) fn gather(&self, row: &ProgramRow, found: &Found) -> anyhow::Result<Taken> {
        let patterns = if found.is_crate() { &row.files } else { &found.language.files };
        let beside =
            |pattern: &String| if found.own { pattern.clone() } else { pattern.replace("**/", "") };
        let patterns: Vec<String> = patterns.iter().map(beside).collect();
        let listing = listed_files(self.holder, &found.folder, &patterns)?;
        let mut taken = Taken::without(listing.left);
        let shown = visible(found.main.strip_prefix(&found.folder).unwrap_or(&found.main));
        if self.holder.kind(&found.main) != Some(Kind::File) {
            bail!("{shown} is not a regular file");
        }
        let main = self.name_in_copy(found, &found.main)?.unwrap_or_default();
        taken.take_main(self.holder, &found.main, main).context(shown)?;
        for path in listing.files.iter().filter(|path| **path != found.main) {
            if let Some(name) = self.name_in_copy(found, path)? {
                taken.take(self.holder, path, name);
            }
        }
        Ok(taken)
    }

    /// Returns a file's name in the copy. A Rust program that is a single file becomes a crate with
    /// the files beside it, except other programs.
    fn name_in_copy(&self, found: &Found, path: &Path) -> anyhow::Result<Option<PathBuf>> {
        let name = path.strip_prefix(&found.folder)?;
        if !found.is_rust() || found.is_crate() {
            return Ok(Some(name.to_owned()));
        }
        if path == found.main {
            return Ok(Some("src/main.rs".into()));
        }
        let programs = self.rubric.practical.programs;
        let is_program = programs.iter().any(|other| name == Path::new(&format!("{other}.rs")));
        let is_beside = !is_program && name.components().count() == 1;
        Ok(is_beside.then(|| Path::new("src").join(name)))
    }
}
