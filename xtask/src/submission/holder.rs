//! What holds a submission: a folder, or an archive that is unpacked only in memory.
//!
//! Links are never followed, and only regular files are opened. Too large a file is refused before
//! it is read.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::archive::{self, Entry, Tree};

/// The most bytes of one file.
pub(super) const MOST_BYTES: u64 = 1024 * 1024;

/// The most entries of one folder.
const MOST_ENTRIES: usize = 10_000;

/// The files of a submission.
#[derive(Debug)]
pub(super) enum Holder {
    Folder(PathBuf),
    Archive(Tree),
}

/// The kind of an entry in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// A link, a pipe, a socket or a device.
    Other,
}

impl Holder {
    /// Opens a folder or an archive.
    pub(super) fn open(place: &Path) -> anyhow::Result<Self> {
        if place.is_dir() {
            return Ok(Self::Folder(fs::canonicalize(place)?));
        }
        Ok(Self::Archive(Tree::of(archive::unpack(open_file(place)?)?)))
    }

    /// Returns the entries of a folder in order, or none if there is no such folder.
    pub(super) fn list(&self, folder: &Path) -> anyhow::Result<Vec<(PathBuf, Kind)>> {
        match self {
            Self::Folder(base) => list_folder(base, folder),
            Self::Archive(tree) => Ok(tree.list(folder)),
        }
    }

    pub(super) fn kind(&self, path: &Path) -> Option<Kind> {
        match self {
            Self::Folder(base) => {
                let above = path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
                let through_folders =
                    above.into_iter().all(|above| kind_of(&base.join(above)) == Some(Kind::Folder));
                kind_of(&base.join(path)).filter(|_| through_folders)
            }
            Self::Archive(tree) => tree.kind(path),
        }
    }

    /// Returns the content of a file.
    pub(super) fn read(&self, path: &Path) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Folder(base) => read_file(&base.join(path)),
            Self::Archive(tree) => match tree.entry(path) {
                Some(Entry::File(content)) => Ok(content.clone()),
                Some(Entry::Unread(why)) => bail!("{why}"),
                Some(_) => bail!("it is not a regular file"),
                None => bail!("it is not there"),
            },
        }
    }
}

fn kind_of(path: &Path) -> Option<Kind> {
    let facts = fs::symlink_metadata(path).ok()?;
    Some(match facts {
        facts if facts.is_file() => Kind::File,
        facts if facts.is_dir() => Kind::Folder,
        _ => Kind::Other,
    })
}

fn list_folder(base: &Path, folder: &Path) -> anyhow::Result<Vec<(PathBuf, Kind)>> {
    let Ok(entries) = fs::read_dir(base.join(folder)) else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for entry in entries.take(MOST_ENTRIES + 1) {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        names.extend(kind_of(&base.join(&path)).map(|kind| (path, kind)));
    }
    if names.len() > MOST_ENTRIES {
        bail!("the folder {:?} has more than {MOST_ENTRIES} files", folder.display().to_string());
    }
    names.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(names)
}

fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let file = open_file(path)?;
    let length = file.metadata()?.len();
    if length > MOST_BYTES {
        bail!("{}", archive::too_many_bytes(length));
    }
    let mut content = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut content).context("it cannot be read")?;
    Ok(content)
}

/// Opens a file only if it is regular: a pipe would block, a device would not end, a link leads
/// elsewhere.
fn open_file(path: &Path) -> anyhow::Result<fs::File> {
    let is_file = |file: &fs::File| file.metadata().is_ok_and(|facts| facts.is_file());
    let file = (kind_of(path) == Some(Kind::File)).then(|| open(path)).transpose()?;
    file.filter(is_file).context("it is not a regular file")
}

/// Opens a file without following a link, and without waiting for the other end of a pipe.
fn open(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(flags.bits() as i32);
    }
    options.open(path)
}
