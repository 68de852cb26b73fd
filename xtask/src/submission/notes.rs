//! Notes what of a submission is left out or ignored.

use std::fs;
use std::path::{Path, PathBuf};

use super::desk::Desk;
use super::find::Found;
use super::listed::Taken;
use super::names::visible;
use crate::request::Origin;

/// The most names in one note.
pub(super) const SHOWN: usize = 8;

impl Desk<'_> {
    pub(super) fn note_what_is_left_out(&mut self, found: &Found, taken: &Taken) {
        self.note_left_out(found, taken);
        if !self.is_handed_in() {
            return;
        }
        let files = &taken.files;
        for name in ["Cargo.toml", "Cargo.lock"] {
            let path = found.folder.join(name);
            let (ours, theirs) = (files.get(Path::new(name)), self.holder.read(&path).ok());
            if found.is_rust() && theirs.is_some() && ours.is_some() && ours != theirs.as_ref() {
                self.note_ignored(&[path]);
            }
        }
    }

    /// Notes files of the harness that a checkout has changed.
    pub(super) fn note_changes_of_ours(&mut self) {
        if !self.is_handed_in() || self.holder.kind(Path::new("xtask")).is_none() {
            return;
        }
        let rubric = format!("practicals/{}/rubric.toml", self.rubric.practical.name);
        let settings = [".cargo/config.toml", ".ci/run", "Cargo.toml", "Cargo.lock"];
        let places = settings.into_iter().chain(["rust-toolchain.toml", &rubric]);
        let sources = ["tests/src", "xtask/src", ".github/workflows"].into_iter();
        let sources = sources.flat_map(|folder| self.names_in(Path::new(folder)));
        let places = places.map(PathBuf::from).chain(sources);
        let is_changed = |path: &PathBuf| {
            let theirs = self.holder.read(path).ok();
            theirs.is_some() && theirs != fs::read(self.repository.root().join(path)).ok()
        };
        let changed: Vec<PathBuf> = places.filter(is_changed).collect();
        self.note_ignored(&changed);
    }

    /// Returns whether the submission is graded outside the student's own checkout.
    pub(super) fn is_handed_in(&self) -> bool {
        matches!(self.request.origin, Origin::Submission(_))
    }

    pub(super) fn names_in(&self, folder: &Path) -> Vec<PathBuf> {
        let names = self.holder.list(folder).unwrap_or_default();
        names.into_iter().map(|(path, _)| path).collect()
    }

    fn note_ignored(&mut self, paths: &[PathBuf]) {
        let differ = if paths.len() == 1 { "differs" } else { "differ" };
        let names: Vec<String> = paths.iter().take(SHOWN).map(|path| visible(path)).collect();
        if !names.is_empty() {
            let names = names.join(", ");
            self.notes.push(format!("ignored: {names} {differ} from the course's copy"));
        }
    }
}
