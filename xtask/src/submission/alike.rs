//! Finds a program by a name that is only like its own, anywhere in the submission. It is taken if
//! there is just one.

use std::path::{Path, PathBuf};

use super::desk::Desk;
use super::find::Found;
use super::holder::Kind;
use super::likeness::Likeness;
use super::names::{is_hidden, is_made};
use super::near::Unfound;
use crate::languages::Language;

/// How much of a submission is searched.
const MOST_SEEN: usize = 5000;
const DEEPEST: usize = 8;

/// The most sources of one folder that are searched for a main function.
const MOST_SOURCES: usize = 200;

impl Desk<'_> {
    /// Returns the one program whose name is most alike. Without `rust` it is in another language.
    pub(super) fn alike(&self, name: &str, rust: bool) -> Result<Found, Unfound> {
        let entries = self.walk(Path::new(""));
        for likeness in [Likeness::Same, Likeness::Spelling, Likeness::Role] {
            let found = self.candidates(&entries, name, likeness, rust);
            match found.as_slice() {
                [] => {}
                [only] => return Ok(only.clone()),
                _ => return Err(Unfound::several(&found)),
            }
        }
        self.whole(name).filter(|found| rust || !found.is_rust()).ok_or(Unfound::Nothing)
    }

    /// Returns all that is below a folder, the nearest first, but what tools and the course have
    /// put there.
    pub(super) fn walk(&self, from: &Path) -> Vec<(PathBuf, Kind)> {
        let mut entries = vec![(from.to_owned(), Kind::Folder)];
        let mut at = 0;
        while at < entries.len() && entries.len() < MOST_SEEN {
            let (path, kind) = entries[at].clone();
            at += 1;
            if kind == Kind::Folder && path.iter().count() < from.iter().count() + DEEPEST {
                let inside = self.holder.list(&path).unwrap_or_default().into_iter();
                entries.extend(inside.filter(|(path, _)| {
                    !is_hidden(path) && !is_made(path) && !self.is_the_courses(path)
                }));
            }
        }
        entries
    }

    /// Returns whether a folder of a checkout belongs to the course, or to another practical.
    pub(super) fn is_the_courses(&self, path: &Path) -> bool {
        let (above, name) = (path.parent().unwrap_or(path), path.file_name().unwrap_or_default());
        let has = |file: &str| self.holder.kind(&above.join(file)).is_some();
        match name.to_str() {
            Some("solution" | "mistakes") => has("rubric.toml"),
            Some("xtask" | "tests") => has("practicals"),
            Some(name) if above.ends_with("practicals") => name != self.rubric.practical.name,
            _ => false,
        }
    }

    fn candidates(
        &self,
        entries: &[(PathBuf, Kind)],
        name: &str,
        likeness: Likeness,
        rust: bool,
    ) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for (path, kind) in entries {
            let candidate = match kind {
                Kind::Folder if self.is_like(path.file_name(), name, likeness) => {
                    self.program_in(path, name, rust)
                }
                Kind::File if self.is_like(path.file_stem(), name, likeness) => {
                    let language = self.language_of(path, rust);
                    language.map(|language| self.found_at(language, path.clone()))
                }
                _ => None,
            };
            let is_new = |candidate: &Found| {
                !found.iter().any(|other| {
                    other.main == candidate.main
                        || !other.folder.as_os_str().is_empty()
                            && candidate.main.starts_with(&other.folder)
                            && self.is_like(other.folder.file_name(), name, likeness)
                })
            };
            found.extend(candidate.filter(is_new));
        }
        found
    }

    fn is_like(&self, word: Option<&std::ffi::OsStr>, name: &str, likeness: Likeness) -> bool {
        let word = word.unwrap_or_default().to_string_lossy();
        self.likeness(name, &word) == Some(likeness)
    }

    fn language_of(&self, path: &Path, rust: bool) -> Option<&Language> {
        let mut languages = self.rubric.languages.iter();
        languages.find(|language| (rust || language.name != "Rust") && language.has_source(path))
    }

    /// Returns the program in a folder: by a usual name, or because only one file has a main
    /// function, or because there is only one source.
    pub(super) fn program_in(&self, folder: &Path, name: &str, rust: bool) -> Option<Found> {
        let languages = self.rubric.languages.iter();
        let languages = languages.filter(|language| rust || language.name != "Rust");
        let usual = self.recognise(folder, name, Kind::File, languages);
        usual.or_else(|| self.only_program(folder, name, rust))
    }

    fn only_program(&self, folder: &Path, name: &str, rust: bool) -> Option<Found> {
        let entries = self.walk(folder);
        let files = entries.iter().filter(|(_, kind)| *kind == Kind::File);
        let sources: Vec<(&Path, &Language)> = files
            .filter_map(|(path, _)| Some((&**path, self.language_of(path, rust)?)))
            .take(MOST_SOURCES)
            .collect();
        let named = |(path, _): &&(&Path, &Language)| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            self.likeness(name, &stem).is_some()
        };
        let begins = |(path, language): &&(&Path, &Language)| self.begins_in(path, language);
        let only = only(sources.iter().filter(named))
            .or_else(|| only(sources.iter().filter(begins)))
            .or_else(|| only(sources.iter().filter(|(_, language)| !language.needs_entry())));
        only.map(|(path, language)| {
            let found = self.found_at(language, (*path).to_owned());
            match matches!(&*language.name, "Rust" | "Java") {
                true => found,
                false => Found { folder: folder.to_owned(), ..found },
            }
        })
    }

    /// Returns whether a program begins in this file.
    fn begins_in(&self, path: &Path, language: &Language) -> bool {
        let content = self.holder.read(path).unwrap_or_default();
        language.begins_in(&String::from_utf8_lossy(&content))
    }

    /// Returns the program that is the whole submission: its folder is called like the program, or
    /// no other program is asked for.
    fn whole(&self, name: &str) -> Option<Found> {
        let folder = self.base.file_stem().unwrap_or_default().to_string_lossy();
        let is_only = self.rubric.plan(&self.request.only).is_ok_and(|plan| {
            let mut programs = plan.iter().flat_map(|planned| planned.check.programs);
            programs.all(|other| *other == name)
        });
        let is_whole = self.is_handed_in() && (is_only || self.likeness(name, &folder).is_some());
        is_whole.then(|| self.program_in(Path::new(""), name, true)).flatten()
    }
}

fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    all.next().filter(|_| all.next().is_none())
}
