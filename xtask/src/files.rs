//! Files that are replaced in one step, so that no reader ever sees half of one, and files that are
//! read only if they are regular.

use std::fs::{File, OpenOptions};
use std::io::{self, Error, Read, Write};
use std::path::Path;

use crate::interruption;

/// The most bytes of a file of the course.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Reads a file of the course. A pipe would never end, and a device neither.
pub(crate) fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32);
    }
    let file = options.open(file)?;
    let facts = file.metadata()?;
    match facts.len() {
        _ if !facts.is_file() => Err(Error::other("it is not a regular file: put a file there")),
        bytes if bytes > MOST_BYTES => {
            Err(Error::other(format!("it has {bytes} bytes; at most {MOST_BYTES} are read")))
        }
        _ => {
            let mut content = Vec::new();
            file.take(MOST_BYTES).read_to_end(&mut content)?;
            Ok(content)
        }
    }
}

/// Reads a file of the course as text.
pub(crate) fn read_text(file: &Path) -> io::Result<String> {
    String::from_utf8(read(file)?).map_err(|_| Error::other("it is not in UTF-8: save it as UTF-8"))
}

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
