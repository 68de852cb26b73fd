//! Finds programs where students put them.

use std::fs;
use std::path::{Path, PathBuf};

use super::desk::Desk;
use super::holder::Kind;
use crate::languages::{self, Language};
use crate::request::Origin;

/// A program that was found.
pub(super) struct Found {
    pub(super) language: Language,
    /// The folder that holds its files.
    pub(super) folder: PathBuf,
    pub(super) main: PathBuf,
    /// Whether the folder holds nothing but this program.
    pub(super) own: bool,
}

impl Found {
    pub(super) fn is_rust(&self) -> bool {
        self.language.name == "Rust"
    }

    /// Returns whether it is a crate, not a single file.
    pub(super) fn is_crate(&self) -> bool {
        self.is_rust() && self.main.ends_with("src/main.rs")
    }
}

impl Desk<'_> {
    /// Returns the folders where students put programs: the top, the folder of the branch, the
    /// practical's folder or `src`. An archive often has one folder that contains everything.
    pub(super) fn places(&self) -> Vec<PathBuf> {
        let practical = Path::new("practicals").join(self.rubric.practical.name);
        let tops = std::iter::once(PathBuf::new()).chain(self.only_folder());
        tops.flat_map(|top| {
            [top.clone(), top.join(&self.rubric.branch), top.join(&practical), top.join("src")]
        })
        .collect()
    }

    pub(super) fn find(&self, name: &str) -> Option<Found> {
        let places = self.places();
        let own = places.iter().find_map(|place| self.recognise(&place.join(name), name, true));
        let lone = || places.iter().find_map(|place| self.recognise(place, name, false));
        match own {
            Some(found) if found.is_rust() && self.is_skeleton(&found) => {
                Some(lone().unwrap_or(found))
            }
            Some(found) => Some(found),
            None => lone(),
        }
    }

    fn only_folder(&self) -> Option<PathBuf> {
        let names = self.holder.list(Path::new("")).ok()?;
        let hidden = |path: &Path| path.to_string_lossy().starts_with(['.', '_']);
        let mut folders =
            names.into_iter().filter(|(path, kind)| *kind == Kind::Folder && !hidden(path));
        let (only, _) = folders.next()?;
        folders.next().is_none().then_some(only)
    }

    fn recognise(&self, folder: &Path, name: &str, own: bool) -> Option<Found> {
        let found = |language: &Language| {
            let names = language.own.iter().filter(|_| own).chain(&language.main);
            let mut mains = names.map(|main| folder.join(languages::file_name(main, name)));
            let main = mains
                .find(|main| matches!(self.holder.kind(main), Some(Kind::File | Kind::Other)))?;
            Some(Found { language: language.clone(), folder: folder.to_owned(), main, own })
        };
        self.rubric.languages.iter().find_map(found)
    }

    /// Returns whether a program is the unchanged skeleton, which a checkout has even if the
    /// student used another language.
    fn is_skeleton(&self, found: &Found) -> bool {
        let ours =
            found.folder.file_name().map(|name| self.rubric.folder.join(name).join("src/main.rs"));
        let ours = ours.and_then(|main| fs::read(main).ok());
        self.request.origin != Origin::Practical
            && ours.is_some()
            && self.holder.read(&found.main).ok() == ours
    }
}
