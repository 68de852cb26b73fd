//! The files of the course: those that git tracks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

/// The most bytes of a file.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Returns the files that git tracks; without git, all files outside target folders.
pub(super) fn files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !root.join(".git").exists() {
        return files_without_git(root);
    }
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    ensure!(
        output.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let is_there = |path: &PathBuf| fs::symlink_metadata(root.join(path)).is_ok();
    Ok(names.map(path_of).filter(is_there).collect())
}

#[cfg(unix)]
fn path_of(name: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(name).into()
}

#[cfg(not(unix))]
fn path_of(name: &[u8]) -> PathBuf {
    String::from_utf8_lossy(name).into_owned().into()
}

fn files_without_git(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            match entry.file_type()?.is_dir() {
                true if entry.file_name() == "target" => {}
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Checks that a file is one, and not a link: a link would bring along what it leads to, and a pipe
/// would hold up the release.
pub(super) fn check(root: &Path, path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    let above = path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
    let is_link = |path: &Path| fs::symlink_metadata(root.join(path)).map(|it| it.is_symlink());
    for place in std::iter::once(path).chain(above) {
        if is_link(place).with_context(|| shown.to_string())? {
            let link = place.display();
            bail!("{link} is a link, and students would get what it leads to: put a file there");
        }
    }
    let facts = fs::symlink_metadata(root.join(path)).with_context(|| shown.to_string())?;
    if facts.is_dir() {
        bail!("{shown} is a repository of its own: put its files there, or take it out of git");
    }
    ensure!(facts.is_file(), "{shown} is not a regular file: put a file there");
    let bytes = facts.len();
    ensure!(bytes <= MOST_BYTES, "{shown} has {bytes} bytes; at most {MOST_BYTES} are released");
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[track_caller]
    fn refused(make: impl FnOnce(&Path), says: &str) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("docs")).unwrap();
        make(&root.path().join("docs/page.md"));
        let files = files(root.path()).unwrap();
        let checked: anyhow::Result<()> =
            files.iter().try_for_each(|path| check(root.path(), path));
        let error = checked.map_err(|error| error.to_string()).err().unwrap_or_default();
        assert!(error.starts_with("docs/page.md") && error.contains(says), "{error}");
    }

    #[test]
    fn only_regular_files_are_released() {
        refused(|page| symlink("/etc/passwd", page).unwrap(), "is a link");
        refused(|page| symlink("/nowhere", page).unwrap(), "is a link");
        refused(|page| symlink("..", page).unwrap(), "is a link");
        let pipe = |page: &Path| {
            assert!(Command::new("mkfifo").arg(page).status().unwrap().success());
        };
        refused(pipe, "is not a regular file");
        let large = |page: &Path| fs::File::create(page).unwrap().set_len(1 << 40).unwrap();
        refused(large, "1099511627776 bytes");
    }

    #[test]
    fn a_file_behind_a_link_is_refused_by_the_links_name() {
        let (root, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(home.path().join("page.md"), "").unwrap();
        symlink(home.path(), root.path().join("docs")).unwrap();
        let error = check(root.path(), Path::new("docs/page.md")).unwrap_err().to_string();
        assert!(error.starts_with("docs is a link"), "{error}");
    }
}
