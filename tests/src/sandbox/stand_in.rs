//! Gives a launch its own copies where there is no private file tree: a folder that stands in for
//! the one in which a program was called, and in it copies of the program's other folders.
//!
//! What the program writes there is thrown away, and the real folders stay as they are. The words
//! of its command line name the copies.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::copies::{self, Shown};
use super::spec::Reach;

/// The most entries, and the most bytes of a file, that are copied. The rest are links.
const MOST_ENTRIES: usize = 500;
const MOST_BYTES: u64 = 1024 * 1024;

/// The most entries of a folder that are shown at all.
const MOST_LINKS: usize = 5000;

/// A copy and the place that it stands in for.
pub(crate) type StandIn = (PathBuf, PathBuf);

/// Fills `to`, which stands in for `given`, and makes the words of a command name copies. Returns
/// the stand-ins, the most exact ones first.
pub(super) fn fill(
    to: &Path,
    given: Option<&Path>,
    reach: &Reach,
    words: &mut [OsString],
) -> io::Result<Vec<StandIn>> {
    let mut made = Vec::new();
    let arguments = words.get_mut(1..).unwrap_or_default();
    for (number, place) in reach.read.iter().enumerate() {
        let is_within = given.is_some_and(|given| place.starts_with(given));
        if is_within || copies::plan(place, 0).0 != Shown::Copied {
            continue;
        }
        let copy = to.join(format!(".own-{number}"));
        if rename(arguments, given, place, &copy) {
            let named: Vec<PathBuf> = arguments.iter().map(PathBuf::from).collect();
            Filling { named: &named, entries: 0 }.show(place, &copy)?;
            made.push((copy, place.clone()));
        }
    }
    if let Some(given) = given {
        rename_absolute(arguments, given, to);
        let named: Vec<PathBuf> = arguments.iter().map(|word| to.join(word)).collect();
        Filling { named: &named, entries: 0 }.fill_given(to, given, reach)?;
        made.push((to.to_owned(), given.to_owned()));
    }
    Ok(made)
}

/// Makes the words that lead into `place` lead into its copy. A word that leads to the given folder
/// stays. Returns whether there were any.
fn rename(words: &mut [OsString], given: Option<&Path>, place: &Path, copy: &Path) -> bool {
    let mut found = false;
    for word in words {
        let path = given.unwrap_or(Path::new("/")).join(&word);
        let Ok(path) = fs::canonicalize(path) else { continue };
        if let Ok(within) = path.strip_prefix(place) {
            *word = copy.join(within).into();
            found = true;
        }
    }
    found
}

/// Makes absolute words that lead into the given folder lead into the one that stands in for it.
fn rename_absolute(words: &mut [OsString], given: &Path, to: &Path) {
    for word in words.iter_mut().filter(|word| Path::new(word).is_absolute()) {
        let Ok(path) = fs::canonicalize(&word) else { continue };
        if let Ok(within) = path.strip_prefix(given) {
            *word = to.join(within).into();
        }
    }
}

/// Copies and links what a program may read.
struct Filling<'a> {
    /// Files that the command line names: they are read, not executed.
    named: &'a [PathBuf],
    entries: usize,
}

impl Filling<'_> {
    /// Fills `to` with what the program may read of the given folder.
    fn fill_given(&mut self, to: &Path, given: &Path, reach: &Reach) -> io::Result<()> {
        for place in &reach.read {
            if given.starts_with(place) {
                self.show_all(given, to)?;
            } else if let Ok(within) = place.strip_prefix(given) {
                let target = to.join(within);
                target.parent().map_or(Ok(()), fs::create_dir_all)?;
                self.show(place, &target)?;
            }
        }
        Ok(())
    }

    /// Shows a place by a copy or by a link to it. Nothing that a program can write to may be
    /// executed, so an executable is a link.
    fn show(&mut self, place: &Path, target: &Path) -> io::Result<()> {
        self.entries += 1;
        match fs::symlink_metadata(place) {
            Ok(facts) if facts.is_dir() && self.entries < MOST_ENTRIES => {
                fs::create_dir_all(target)?;
                self.show_all(place, target)
            }
            Ok(facts) if facts.is_file() && self.is_copied(&facts, target) => {
                fs::copy(place, target).map(drop).or_else(|_| link(place, target))
            }
            _ => link(place, target),
        }
    }

    fn show_all(&mut self, folder: &Path, target: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_LINKS) {
            self.show(&entry.path(), &target.join(entry.file_name()))?;
        }
        Ok(())
    }

    fn is_copied(&self, facts: &fs::Metadata, target: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt;
        let is_executable = facts.permissions().mode() & 0o111 != 0;
        let is_named = || self.named.iter().any(|named| named == target);
        facts.len() <= MOST_BYTES && (!is_executable || is_named())
    }
}

fn link(place: &Path, target: &Path) -> io::Result<()> {
    if target.symlink_metadata().is_ok() { Ok(()) } else { symlink(place, target) }
}
