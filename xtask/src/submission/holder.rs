//! What holds a submission: a folder, or an archive that is unpacked only in memory.
//!
//! Links are never followed, and only regular files are opened. Too large a file is refused before
//! it is read.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};

use super::archive;

/// The most bytes of one file.
pub(super) const MOST_BYTES: u64 = 1024 * 1024;

/// The most entries of one folder.
const MOST_ENTRIES: usize = 10_000;

/// The files of a submission.
#[derive(Debug)]
pub(super) enum Holder {
    Folder(PathBuf),
    Archive(BTreeMap<PathBuf, Vec<u8>>),
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
        let bytes = read_file(place, archive::MOST_PACKED)?;
        Ok(Self::Archive(archive::unpack(&bytes)?))
    }

    /// Returns the entries of a folder in order, or none if there is no such folder.
    pub(super) fn list(&self, folder: &Path) -> anyhow::Result<Vec<(PathBuf, Kind)>> {
        match self {
            Self::Folder(base) => list_folder(base, folder),
            Self::Archive(files) => Ok(list_archive(files, folder)),
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
            Self::Archive(files) if files.contains_key(path) => Some(Kind::File),
            Self::Archive(files) => {
                files.keys().any(|file| file.starts_with(path)).then_some(Kind::Folder)
            }
        }
    }

    /// Returns the content of a file.
    pub(super) fn read(&self, path: &Path) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Folder(base) => read_file(&base.join(path), MOST_BYTES),
            Self::Archive(files) => match files.get(path) {
                Some(content) if content.len() as u64 > MOST_BYTES => {
                    bail!("it has {} bytes; at most {MOST_BYTES} are taken", content.len())
                }
                Some(content) => Ok(content.clone()),
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

fn list_archive(files: &BTreeMap<PathBuf, Vec<u8>>, folder: &Path) -> Vec<(PathBuf, Kind)> {
    let mut names: Vec<(PathBuf, Kind)> = Vec::new();
    for path in files.keys() {
        let Ok(rest) = path.strip_prefix(folder) else { continue };
        let Some(Component::Normal(first)) = rest.components().next() else { continue };
        let kind = if rest.components().count() > 1 { Kind::Folder } else { Kind::File };
        names.push((folder.join(first), kind));
    }
    names.dedup();
    names
}

/// Reads a file only if it is regular: a pipe would block, a device would not end, a link leads
/// elsewhere.
fn read_file(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let is_file = |facts: &fs::Metadata| facts.is_file();
    let file = (kind_of(path) == Some(Kind::File)).then(|| open(path)).transpose()?;
    let facts = file.as_ref().map(fs::File::metadata).transpose()?.filter(is_file);
    let (Some(file), Some(facts)) = (file, facts) else { bail!("it is not a regular file") };
    if facts.len() > most {
        bail!("it has {} bytes; at most {most} are taken", facts.len());
    }
    let mut content = Vec::new();
    file.take(most).read_to_end(&mut content).context("it cannot be read")?;
    Ok(content)
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
