//! The files of a submission that patterns name. What cannot be taken is left out, and listed.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use super::holder::{Holder, Kind};
use super::left::Left;
use super::names::{fault_of_name, is_hidden, is_made, visible};
use crate::patterns::Pattern;

/// The limits of a program: generous for a student, harmless for the harness.
const MOST_FILES: usize = 200;
const MOST_BYTES_IN_ALL: usize = 4 * 1024 * 1024;
const DEEPEST: usize = 8;

/// The most files and folders that are looked at.
const MOST_SEEN: usize = 20_000;

/// Files to copy, by their names in the copy.
pub(super) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The files that patterns name, in the order in which they are taken until a limit is reached.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: Vec<PathBuf>,
    pub(super) data: Vec<PathBuf>,
    pub(super) left: Vec<Left>,
}

/// Files that were read.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) files: Files,
    /// Whether some of them are data, which the program may read while it runs.
    pub(super) has_data: bool,
    pub(super) left: Vec<Left>,
    bytes: usize,
}

impl Taken {
    /// Begins with what the listing leaves out.
    pub(super) fn without(left: Vec<Left>) -> Self {
        Self { left, ..Self::default() }
    }

    /// Reads a file, or leaves it out. `name` is its name in the copy.
    pub(super) fn take(&mut self, holder: &Holder, path: &Path, name: PathBuf) {
        match self.content(holder, path, &name) {
            Ok(content) => {
                self.bytes += content.len();
                self.files.insert(name, content);
            }
            Err(why) => self.left.push(Left::new(path, why)),
        }
    }

    /// Reads a file without which there is no program.
    pub(super) fn take_main(
        &mut self,
        holder: &Holder,
        path: &Path,
        name: PathBuf,
    ) -> anyhow::Result<()> {
        self.left.retain(|left| left.path != path);
        let content = holder.read(path)?;
        self.bytes += content.len();
        self.files.insert(name, content);
        Ok(())
    }

    fn content(&self, holder: &Holder, path: &Path, name: &Path) -> Result<Vec<u8>, String> {
        if let Some(why) = fault_of_name(name) {
            return Err(why.to_owned());
        }
        let is_same = |other: &&PathBuf| other.as_os_str().eq_ignore_ascii_case(name.as_os_str());
        if let Some(other) = self.files.keys().find(is_same) {
            return Err(format!("on some systems it is the same file as {}", visible(other)));
        }
        let is_above = |other: &&PathBuf| other.starts_with(name) || name.starts_with(other);
        if let Some(other) = self.files.keys().find(is_above) {
            return Err(format!("one of it and {} must be a folder", visible(other)));
        }
        if self.files.len() >= MOST_FILES {
            return Err(format!("at most {MOST_FILES} files are taken"));
        }
        let content = holder.read(path).map_err(|error| format!("{error:#}"))?;
        if self.bytes + content.len() > MOST_BYTES_IN_ALL {
            return Err(format!("at most {MOST_BYTES_IN_ALL} bytes are taken in all"));
        }
        Ok(content)
    }
}

/// Reads the files below `folder` that a pattern names.
pub(super) fn read_listed(
    holder: &Holder,
    folder: &Path,
    patterns: &[String],
) -> anyhow::Result<Taken> {
    let listing = listed_files(holder, folder, patterns, &[])?;
    let mut taken = Taken::without(listing.left);
    for path in listing.files {
        let name = path.strip_prefix(folder)?.to_owned();
        taken.take(holder, &path, name);
    }
    Ok(taken)
}

/// Returns whether a file is a setting of cargo or rustup, which the course decides.
fn is_a_setting(path: &Path) -> bool {
    const SETTINGS: [&str; 3] = ["Cargo.toml", "rust-toolchain.toml", "clippy.toml"];
    SETTINGS.iter().any(|name| path.ends_with(name))
}

/// The patterns of sources, and those of other files that a program may read.
struct Patterns {
    sources: Vec<Pattern>,
    data: Vec<Pattern>,
}

/// Returns the files below `folder` that a pattern names: those near the top first, so that a
/// limit does not take the most important ones away. Only regular files are read, and links are
/// not followed.
pub(super) fn listed_files(
    holder: &Holder,
    folder: &Path,
    sources: &[String],
    data: &[String],
) -> anyhow::Result<Listing> {
    let read = |texts: &[String]| -> anyhow::Result<Vec<Pattern>> {
        texts.iter().map(|text| Pattern::new(text)).collect()
    };
    let patterns = Patterns { sources: read(sources)?, data: read(data)? };
    let mut listing = Listing::default();
    let mut folders = VecDeque::from([PathBuf::new()]);
    let mut seen = 0;
    while let Some(within) = folders.pop_front().filter(|_| seen < MOST_SEEN) {
        match holder.list(&folder.join(&within)) {
            Ok(entries) => {
                seen += entries.len();
                folders.extend(listing.add(folder, entries, &patterns));
            }
            Err(why) => listing.left.push(Left::new(&folder.join(within), format!("{why:#}"))),
        }
    }
    for listed in [&mut listing.files, &mut listing.data] {
        listed.sort_by_cached_key(|path| (path.iter().count(), has_capitals(path)));
    }
    Ok(listing)
}

impl Listing {
    /// Adds what is wanted of a folder's entries. Returns the folders to look at next, relative to
    /// the program's folder.
    fn add(
        &mut self,
        folder: &Path,
        entries: Vec<(PathBuf, Kind)>,
        patterns: &Patterns,
    ) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for (full, kind) in entries {
            let path = full.strip_prefix(folder).unwrap_or(&full);
            match what_to_do(path, kind, patterns) {
                Do::Enter => folders.push(path.to_owned()),
                Do::Take if patterns.sources.iter().any(|pattern| pattern.matches(path)) => {
                    self.files.push(full);
                }
                Do::Take if !is_a_setting(path) => self.data.push(full),
                Do::Take | Do::Leave => {}
                Do::LeaveOut(why) => self.left.push(Left::new(&full, why)),
            }
        }
        folders
    }
}

/// Where two names differ only in capitals, the one without them is taken.
fn has_capitals(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().iter().any(u8::is_ascii_uppercase)
}

/// What to do with an entry.
enum Do {
    Enter,
    Take,
    Leave,
    /// It would be taken if it were not for this reason.
    LeaveOut(String),
}

fn what_to_do(path: &Path, kind: Kind, Patterns { sources, data }: &Patterns) -> Do {
    let is_named = sources.iter().chain(data).any(|pattern| pattern.matches(path));
    let may_hold = |patterns: &[Pattern]| patterns.iter().any(|it| it.may_match_in(path));
    let leave_out = |why: String| match is_named || may_hold(sources) {
        true => Do::LeaveOut(why),
        false => Do::Leave,
    };
    let fault = fault_of_name(path).map(str::to_owned);
    match kind {
        Kind::Folder if is_made(path) || !may_hold(sources) && !may_hold(data) => Do::Leave,
        Kind::Folder if path.iter().count() > DEEPEST => {
            leave_out(format!("it lies deeper than {DEEPEST} folders"))
        }
        Kind::Folder => fault.map_or(Do::Enter, leave_out),
        Kind::Other if !is_hidden(path) => leave_out("it is not a regular file".to_owned()),
        Kind::File if is_named => fault.map_or(Do::Take, Do::LeaveOut),
        Kind::File | Kind::Other => Do::Leave,
    }
}
