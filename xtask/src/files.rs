//! Files that are replaced in one step, so that no reader ever sees half of one.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::interruption;

/// Writes a file in one step. A link stays a link; what is no file, like a pipe, takes the bytes as
/// they come.
pub(crate) fn write(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    if std::fs::metadata(file).is_ok_and(|facts| !facts.is_file()) {
        return Ok(OpenOptions::new().write(true).open(file)?.write_all(content)?);
    }
    let file = &std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    replace(file, content, ".tmp")
}

/// Writes a file in one step, by way of a temporary one whose name begins with `prefix`.
pub(crate) fn replace(file: &Path, content: &[u8], prefix: &str) -> anyhow::Result<()> {
    let _until_written = interruption::delayed();
    let mut new = tempfile::Builder::new().prefix(prefix).tempfile_in(folder_of(file))?;
    new.write_all(content)?;
    readable_by_all(&new.persist(file)?)
}

/// Adds to the end of a file.
pub(crate) fn append(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let _until_written = interruption::delayed();
    let mut file = OpenOptions::new().append(true).create(true).open(file)?;
    Ok(file.write_all(content)?)
}

/// Returns the folder that a file is in, also for a name without one.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Lets everyone read a file: a temporary file is its owner's alone.
#[cfg(unix)]
pub(crate) fn readable_by_all(file: &File) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.set_permissions(std::fs::Permissions::from_mode(0o644))?)
}

#[cfg(not(unix))]
pub(crate) fn readable_by_all(_file: &File) -> anyhow::Result<()> {
    Ok(())
}

/// Returns how many bytes may still be written in a folder; `None` where the system does not tell.
#[cfg(unix)]
pub(crate) fn room_in(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail * disk.f_frsize)
}

#[cfg(not(unix))]
pub(crate) fn room_in(_folder: &Path) -> Option<u64> {
    None
}
