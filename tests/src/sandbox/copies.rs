//! Copies a program's own files for one launch. The program may write beside them, and as root the
//! harness lets its user read what is root's alone. No launch sees what another one has written.
//!
//! A folder that is too large to be copied for each launch gets a new folder in its place, with
//! copies of the small files directly in it. The rest of it can only be read.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

/// The most entries and bytes that are copied of a folder.
const MOST_ENTRIES: usize = 500;
const MOST_BYTES: u64 = 8 * MIB;

/// The most bytes of a file that the program's user could not read otherwise.
const MOST_PRIVATE: u64 = 64 * MIB;

/// The most entries of a folder that is not copied as a whole.
const MOST_PARTS: usize = 200;

const MIB: u64 = 1024 * 1024;

/// How a place is shown to a program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// As it is, to be read.
    AsItIs,
    /// As a copy.
    Copied,
    /// As a new folder with copies of these files and with these other entries as they are.
    InParts { copied: Vec<PathBuf>, others: Vec<PathBuf> },
}

/// Decides how a place is shown; returns the bytes that its copies take, too. `owner` is the
/// program's user, who is not the one that runs the harness where that is root.
pub(super) fn plan(place: &Path, owner: u32) -> (Shown, u64) {
    let Ok(facts) = fs::metadata(place) else { return (Shown::AsItIs, 0) };
    if !facts.is_dir() {
        let is_private = owner != 0 && facts.mode() & 0o004 == 0;
        return match facts.len() {
            bytes if is_private && bytes <= MOST_PRIVATE => (Shown::Copied, in_memory(bytes)),
            _ => (Shown::AsItIs, 0),
        };
    }
    match weight(place) {
        Some(bytes) => (Shown::Copied, bytes),
        None => in_parts(place),
    }
}

fn in_parts(folder: &Path) -> (Shown, u64) {
    let entries: Vec<fs::DirEntry> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    if entries.len() > MOST_PARTS {
        return (Shown::AsItIs, 0);
    }
    let (mut copied, mut others, mut total) = (Vec::new(), Vec::new(), 0);
    for entry in entries {
        let Ok(facts) = entry.metadata() else { continue };
        let bytes = in_memory(facts.len());
        if facts.is_file() && total + bytes <= MOST_BYTES {
            total += bytes;
            copied.push(entry.path());
        } else if facts.is_symlink() {
            copied.push(entry.path());
        } else {
            others.push(entry.path());
        }
    }
    (Shown::InParts { copied, others }, total)
}

/// Returns the bytes that a copy of a folder takes; `None` if it is too large.
fn weight(folder: &Path) -> Option<u64> {
    let (mut folders, mut entries, mut bytes) = (vec![folder.to_owned()], 0, 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(facts) = entry.metadata() else { continue };
            entries += 1;
            bytes += in_memory(facts.len());
            if entries > MOST_ENTRIES || bytes > MOST_BYTES {
                return None;
            }
            if facts.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Some(bytes)
}

/// A file in memory takes whole pages, and its name takes some room.
fn in_memory(bytes: u64) -> u64 {
    bytes.next_multiple_of(4096) + 4096
}

/// Copies a file, a link, or a folder with all that it has. What cannot be read cannot be read in
/// the copy either. What is none of these is left out.
pub(super) fn copy(from: &Path, to: &Path, owner: u32) -> io::Result<()> {
    let facts = fs::symlink_metadata(from)?;
    if facts.is_symlink() {
        return symlink(fs::read_link(from)?, to);
    }
    let is_readable = if facts.is_file() {
        copy_file(from, to)?
    } else if facts.is_dir() {
        copy_entries(from, to, owner)?
    } else {
        return Ok(());
    };
    let executable = if facts.is_dir() || facts.mode() & 0o111 != 0 { 0o111 } else { 0 };
    let mode = if is_readable { 0o644 | executable } else { 0 };
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    if is_readable { chown(to, Some(owner), Some(owner)) } else { Ok(()) }
}

/// Returns whether the file can be read.
fn copy_file(from: &Path, to: &Path) -> io::Result<bool> {
    let mut copy = fs::File::create(to)?;
    let Ok(mut source) = open(from) else { return Ok(false) };
    io::copy(&mut source, &mut copy).map(|_| true)
}

/// Returns whether the folder can be read.
fn copy_entries(from: &Path, to: &Path, owner: u32) -> io::Result<bool> {
    fs::create_dir(to)?;
    let Ok(entries) = fs::read_dir(from) else { return Ok(false) };
    for entry in entries.flatten() {
        unless_gone(copy(&entry.path(), &to.join(entry.file_name()), owner))?;
    }
    Ok(true)
}

/// Leaves out what another process removes while a folder is copied: logs are rotated, and
/// compilers remove what they have made for a moment.
pub(super) fn unless_gone(shown: io::Result<()>) -> io::Result<()> {
    match shown {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Opens a file without following a link that has just replaced it.
fn open(file: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, usize)], expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::File::create(file).unwrap().set_len(*bytes as u64).unwrap();
        }
        let names = |paths: Vec<PathBuf>| {
            let mut names: Vec<String> = paths
                .iter()
                .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
                .collect();
            names.sort();
            names.join(" ")
        };
        let (shown, bytes) = plan(folder.path(), 0);
        assert!(bytes <= MOST_BYTES);
        let found = match shown {
            Shown::InParts { copied, others } => format!("{} | {}", names(copied), names(others)),
            other => format!("{other:?}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_that_vanishes_meanwhile_is_left_out() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let own = rustix::process::getuid().as_raw();
        fs::write(from.path().join("stays"), "here").unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    for name in (0..50).map(|number| from.path().join(number.to_string())) {
                        fs::write(&name, "").unwrap();
                        fs::remove_file(&name).unwrap();
                    }
                }
            });
            let copies: Vec<io::Result<()>> = (0..300)
                .map(|number| copy(from.path(), &to.path().join(number.to_string()), own))
                .collect();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            copies.into_iter().for_each(|copied| copied.unwrap());
        });
        assert_eq!(fs::read(to.path().join("299/stays")).unwrap(), b"here");
    }

    #[test]
    fn a_small_folder_is_copied_and_a_large_one_in_parts() {
        check(&[("server.py", 100), ("more/data", 1000)], "Copied");
        check(&[("server.py", 100), ("more/data", 9_000_000)], "server.py | more");
        check(&[("server.py", 100), ("large", 9_000_000)], "server.py | large");
    }
}
