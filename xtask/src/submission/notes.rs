//! Notes what of a submission is left out or ignored.

use std::path::{Path, PathBuf};

use super::desk::Desk;
use super::manifest::{Course, Merged, packages};
use super::names::visible;
use crate::files;
use crate::request::Origin;

/// The most names in one note.
pub(super) const SHOWN: usize = 8;

impl Desk<'_> {
    /// Says which keys of a student's manifest do not count.
    pub(super) fn notes_of_manifest(&self, path: &Path, merged: &Merged) -> Vec<String> {
        let keys = merged.ignored.iter().take(SHOWN);
        let keys: Vec<String> = keys.map(|(key, line)| format!("{key} (line {line})")).collect();
        let differs = (!keys.is_empty()).then(|| {
            let keys = crate::visible::line(&keys.join(", "));
            format!("ignored: {} differs from the course's copy in {keys}", self.noted(path))
        });
        let refused = merged.refused.iter().map(|refused| format!("ignored: {}", refused.says));
        differs.into_iter().chain(refused.take(SHOWN)).collect()
    }

    /// Says which packages a student's lock file has in other versions than the course's.
    pub(super) fn note_of_lock(&self, folder: &Path, course: &Course) -> Option<String> {
        let path = folder.join("Cargo.lock");
        let theirs = packages(&self.holder.read(&path).ok()?);
        let ours = packages(course.lock.as_deref()?);
        let is_other = |package: &&(String, String)| {
            ours.iter().any(|(name, _)| *name == package.0) && !ours.contains(package)
        };
        let others = theirs.iter().filter(is_other).take(SHOWN);
        let others: Vec<String> = others
            .map(|(name, version)| visible(Path::new(&format!("{name} {version}"))))
            .collect();
        (!others.is_empty()).then(|| {
            let others = others.join(", ");
            format!("ignored: {} differs from the course's copy in {others}", self.noted(&path))
        })
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
            theirs.is_some() && theirs != files::read(&self.repository.root().join(path)).ok()
        };
        let changed: Vec<PathBuf> = places.filter(is_changed).collect();
        self.note_ignored(&changed);
    }

    /// Returns a path as notes name it: what is handed in from its top on, and what is in a checkout
    /// from the checkout's top on.
    pub(super) fn noted(&self, path: &Path) -> String {
        if self.is_handed_in() { visible(path) } else { self.shown(path) }
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
