//! The harness's own copy of a program's files.

use std::fs;
use std::path::{Path, PathBuf};

use suite::remove_folder;

use crate::keyed::Keyed;

use super::listed::Files;
use crate::files;

/// Makes `to` hold these files and no others, and returns their fingerprint. Files that are already
/// the same are not touched.
pub(super) fn copy(files: &Files, to: &Path) -> anyhow::Result<u64> {
    remove_others(to, Path::new(""), files)?;
    for (path, content) in files {
        let place = to.join(path);
        if fs::read(&place).is_ok_and(|there| there == *content) {
            files::readable_by_all(&fs::File::open(&place)?)?;
            continue;
        }
        let folder = place.parent().unwrap_or(to);
        fs::create_dir_all(folder)?;
        files::replace(&place, content, ".staging-")?;
    }
    Ok(fingerprint_of(files))
}

/// Returns a number that changes with the name or content of any of these files.
pub(super) fn fingerprint_of(files: &Files) -> u64 {
    let add = |fingerprint: Keyed, (path, content): (&PathBuf, &Vec<u8>)| {
        fingerprint.field(path.as_os_str().as_encoded_bytes()).field(content)
    };
    files.iter().fold(Keyed::default(), add).finish()
}

/// Removes other files. A build may have left links there: they are removed and never followed.
fn remove_others(to: &Path, within: &Path, files: &Files) -> anyhow::Result<()> {
    let Ok(entries) = fs::read_dir(to.join(within)) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let path = within.join(entry.file_name());
        let kind = entry.file_type()?;
        match (kind.is_dir(), is_wanted(&path, kind, files)) {
            (true, true) => remove_others(to, &path, files)?,
            (true, false) => remove_folder(&to.join(path))?,
            (false, false) => fs::remove_file(to.join(path))?,
            (false, true) => {}
        }
    }
    Ok(())
}

/// Returns whether an entry of the copy is one of these files, or a folder of them.
fn is_wanted(path: &Path, kind: fs::FileType, files: &Files) -> bool {
    if kind.is_dir() {
        return files.keys().any(|file| file.starts_with(path) && file != path);
    }
    kind.is_file() && files.contains_key(path)
}
