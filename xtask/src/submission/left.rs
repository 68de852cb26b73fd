//! What of a submission is left out, and where a reader is told of it: in a note, and beside an
//! error that names it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::desk::Desk;
use super::find::Found;
use super::holder::Kind;
use super::listed::Taken;
use super::names::{is_a_tools, visible};
use super::notes::SHOWN;
use crate::rubric::ProgramRow;

/// A file or folder that the harness does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    /// Its path from the top of the submission on.
    pub(crate) path: PathBuf,
    pub(crate) why: String,
}

impl Left {
    pub(super) fn new(path: &Path, why: impl Into<String>) -> Self {
        Self { path: path.to_owned(), why: why.into() }
    }

    /// Returns whether a text names it, with the end of its name or without.
    fn is_named_in(&self, text: &str) -> bool {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        occurs(text, &name, |next| !is_of_a_name(next))
            || occurs(text, &stem, |next| matches!(next, Some('\'' | '"' | '`')))
    }
}

fn is_of_a_name(letter: Option<char>) -> bool {
    letter.is_some_and(|letter| letter.is_alphanumeric() || "_-".contains(letter))
}

/// Returns whether a word occurs at the beginning of a name, followed by a letter that fits.
fn occurs(text: &str, word: &str, fits: impl Fn(Option<char>) -> bool) -> bool {
    let mut places = text.match_indices(word);
    places.any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !is_of_a_name(before) && before != Some('.') && fits(text[at + word.len()..].chars().next())
    })
}

impl std::fmt::Display for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", visible(&self.path), self.why)
    }
}

/// Returns what a text names of what was left out, in one sentence.
pub(crate) fn named_in(text: &str, left: &[Left]) -> Option<String> {
    let text = anstream::adapter::strip_str(text).to_string();
    let named = left.iter().filter(|left| left.is_named_in(&text));
    let named: Vec<String> = named.take(SHOWN).map(Left::to_string).collect();
    (!named.is_empty()).then(|| format!("left out of the submission: {}", named.join(", ")))
}

/// Says beside each of a compiler's errors what of it was left out. Those errors come first: others
/// may follow from them.
pub(crate) fn say_beside(errors: &mut [String], left: &[Left]) {
    errors.sort_by_cached_key(|error| named_in(error, left).is_none());
    for error in errors {
        if let Some(named) = named_in(error, left) {
            error.truncate(error.trim_end().len());
            *error += &format!("\n  = {named}\n");
        }
    }
}

impl Desk<'_> {
    /// Notes from which file a program is taken, and in which language it is written.
    pub(super) fn note_what_is_taken(&mut self, row: &ProgramRow, found: &Found) {
        if self.is_handed_in() || found.is_unusual {
            let (name, language) = (&row.name, &found.language.name);
            let main = visible(&self.path_from_top(&found.main));
            self.notes.push(format!("{name} is {language}, from {main}"));
        }
    }

    /// Notes what is left out. Files that tools make are told of only where an error names them.
    pub(super) fn note_left_out(&mut self, found: &Found, taken: &Taken) {
        let named = taken.left.iter().filter(|left| !is_a_tools(&left.path));
        let named = named.map(|left| self.named_from_top(left.clone()));
        let mut left: Vec<String> = named.map(|left| left.to_string()).collect();
        left.extend(self.unlisted(found, taken));
        if left.len() > SHOWN {
            let more = left.split_off(SHOWN).len();
            left.push(format!("and {more} more"));
        }
        if !left.is_empty() {
            self.notes.push(format!("left out: {}", left.join(", ")));
        }
    }

    /// Returns the other files of the submission, in case that an error names one. A name that was
    /// taken from another place means that file.
    pub(super) fn not_taken(&self, found: &Found, taken: &Taken) -> Vec<Left> {
        let names: BTreeSet<_> = taken.files.keys().filter_map(|path| path.file_name()).collect();
        let is_known = |path: &Path| {
            path == found.main
                || path.file_name().is_none_or(|name| names.contains(name))
                || taken.left.iter().any(|left| path.starts_with(&left.path))
        };
        let files = self.walk(Path::new("")).into_iter();
        let files = files.filter(|(path, kind)| *kind != Kind::Folder && !is_known(path));
        let files = files.map(|(path, kind)| Left::new(&path, self.why_not(found, &path, kind)));
        files.chain(self.packages(found)).collect()
    }

    fn why_not(&self, found: &Found, path: &Path, kind: Kind) -> String {
        match path.starts_with(&found.folder) {
            _ if kind == Kind::Other => "it is not a regular file".to_owned(),
            true => "files of this kind are not taken".to_owned(),
            false => format!("it is not in {}, the program's folder", visible(&found.folder)),
        }
    }

    /// Returns the packages that npm has installed.
    fn packages(&self, found: &Found) -> Vec<Left> {
        let why = "a program is built and started with what its language brings along";
        let installed = self.names_in(&found.folder.join("node_modules"));
        installed.iter().map(|package| Left::new(package, why)).collect()
    }

    /// Returns what is beside a program and is not listed, where the folder is the program's own.
    fn unlisted(&self, found: &Found, taken: &Taken) -> Vec<String> {
        if found.folder.as_os_str().is_empty() {
            return Vec::new();
        }
        let is_taken = |path: &Path| {
            let name = path.strip_prefix(&found.folder).unwrap_or(path);
            path == found.main
                || name == "Cargo.toml"
                || name == "Cargo.lock"
                || taken.files.keys().any(|file| file.starts_with(name))
                || taken.left.iter().any(|left| left.path.starts_with(path))
        };
        let names = self.names_in(&found.folder).into_iter();
        names
            .filter(|path| !is_taken(path) && !is_a_tools(path))
            .map(|path| visible(&self.path_from_top(&path)))
            .collect()
    }

    /// Names what was left out as one would type it: what is handed in from its top on, and what is
    /// in a checkout from the checkout's top on.
    pub(super) fn named_from_top(&self, left: Left) -> Left {
        Left { path: self.path_from_top(&left.path), ..left }
    }

    fn path_from_top(&self, path: &Path) -> PathBuf {
        match self.is_handed_in() {
            true => path.to_owned(),
            false => self.repository.relative(&self.base.join(path)).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, named: bool) {
        assert_eq!(Left::new(Path::new(path), "").is_named_in(text), named, "{path} in {text}");
    }

    #[test]
    fn what_an_error_names_is_found() {
        check("src/mäin.rs", "create file \"src/mäin.rs\" or \"src/mäin/mod.rs\"", true);
        check("src/more", "create file \"src/more.rs\" or \"src/more/mod.rs\"", true);
        check("helper.py", "ModuleNotFoundError: No module named 'helper'", true);
        check("lib/net.js", "Error: Cannot find module './lib/net'", true);
        check("net.h", "main.c:1:10: fatal error: net.h: No such file or directory", true);
        check("words.txt", "Error: Os { code: 2, kind: NotFound }", false);
        check("net.h", "subnet.h: No such file", false);
        check("._main.rs", "error in src/main.rs", false);
        check("main.r", "error in src/main.rs", false);
    }
}
