//! The files of a submission that patterns name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::holder::{Holder, Kind};
use super::names::{check_name, visible};
use crate::patterns::Pattern;

/// The limits of a program: generous for a student, harmless for the harness.
const MOST_FILES: usize = 200;
const MOST_BYTES_IN_ALL: usize = 4 * 1024 * 1024;
const DEEPEST: usize = 8;

/// Folders in which tools keep their output.
const MADE: [&str; 5] = [".git", "target", "node_modules", "__pycache__", ".venv"];

/// Files to copy, by their names in the copy.
pub(super) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Reads the files below `folder` that a pattern names.
pub(super) fn read_listed(
    holder: &Holder,
    folder: &Path,
    patterns: &[String],
) -> anyhow::Result<Files> {
    let mut files = Files::new();
    for path in listed_files(holder, folder, patterns)? {
        let name = path.strip_prefix(folder)?.to_owned();
        check_name(&name, files.keys())?;
        files.insert(name, holder.read(&path).with_context(|| visible(&path))?);
        check_size(&files)?;
    }
    Ok(files)
}

pub(super) fn check_size(files: &Files) -> anyhow::Result<()> {
    if files.values().map(Vec::len).sum::<usize>() > MOST_BYTES_IN_ALL {
        bail!("its files have more than {MOST_BYTES_IN_ALL} bytes in all");
    }
    Ok(())
}

/// Returns the files below `folder` that a pattern names. Only regular files are read, and links
/// are not followed.
pub(super) fn listed_files(
    holder: &Holder,
    folder: &Path,
    patterns: &[String],
) -> anyhow::Result<BTreeSet<PathBuf>> {
    let patterns: Vec<Pattern> =
        patterns.iter().map(|text| Pattern::new(text)).collect::<anyhow::Result<_>>()?;
    let mut files = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(within) = folders.pop() {
        for (full, kind) in holder.list(&folder.join(&within))? {
            let path = full.strip_prefix(folder)?.to_owned();
            match what_to_do(&path, kind, &patterns)? {
                Do::Enter => folders.push(path),
                Do::Take => _ = files.insert(full),
                Do::Leave => {}
            }
            if files.len() > MOST_FILES {
                bail!("more than {MOST_FILES} files");
            }
        }
    }
    Ok(files)
}

/// What to do with an entry.
enum Do {
    Enter,
    Take,
    Leave,
}

fn what_to_do(path: &Path, kind: Kind, patterns: &[Pattern]) -> anyhow::Result<Do> {
    let is_named = patterns.iter().any(|pattern| pattern.matches(path));
    let may_hold = patterns.iter().any(|pattern| pattern.may_match_in(path));
    let is_made = path.file_name().is_some_and(|name| MADE.iter().any(|made| name == *made));
    match kind {
        Kind::Folder if is_made || !may_hold => Ok(Do::Leave),
        Kind::Folder if path.components().count() > DEEPEST => {
            bail!("{} lies deeper than {DEEPEST} folders", visible(path))
        }
        Kind::Folder => Ok(Do::Enter),
        Kind::Other if is_named || may_hold => {
            bail!("{} is not a regular file", visible(path))
        }
        Kind::File if is_named => Ok(Do::Take),
        Kind::File | Kind::Other => Ok(Do::Leave),
    }
}
