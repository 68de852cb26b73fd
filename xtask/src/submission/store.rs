//! What is kept of a program from grading to grading: cargo's folder and finished builds. Nothing
//! runs there, and only one grading at a time builds there.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use suite::{Fault, remove_folder};

use super::StagedCrate;
use super::copy::copy;

/// How long another grading of the same folder may build.
const LONGEST: Duration = Duration::from_secs(400);

/// A program's store, locked.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    _lock: File,
}

impl Store {
    /// Waits until no other grading uses the store.
    pub(crate) fn enter(staged: &StagedCrate) -> anyhow::Result<Self> {
        let begin = Instant::now();
        let file = staged.store.with_extension("lock");
        loop {
            match locked(&file).with_context(|| file.display().to_string())? {
                Some(lock) => return Ok(Self { folder: staged.store.clone(), _lock: lock }),
                None if begin.elapsed() < LONGEST => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                None => bail!(Fault(format!(
                    "another grading has been building {} for more than {} s: end it",
                    staged.origin,
                    LONGEST.as_secs()
                ))),
            }
        }
    }

    /// Returns a folder of the store.
    pub(crate) fn folder(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes the store hold the program's sources and those of its libraries, and returns the
    /// program's folder. What has not changed is not touched, so that cargo builds only what has.
    pub(crate) fn sources(&self, staged: &StagedCrate) -> anyhow::Result<PathBuf> {
        for (library, files) in &staged.libraries {
            copy(files, &staged.library(library))?;
        }
        let folder = staged.cargo_folder();
        copy(&staged.files, &folder)?;
        Ok(folder)
    }

    /// Removes the store. The folder above it goes with the last one.
    pub(super) fn forget(self) -> anyhow::Result<()> {
        if self.folder.exists() {
            remove_folder(&self.folder).with_context(|| self.folder.display().to_string())?;
        }
        fs::remove_file(self.folder.with_extension("lock"))?;
        _ = self.folder.parent().map(fs::remove_dir); // another program may have a store there
        Ok(())
    }
}

/// Locks a file. Returns `None` if another process has locked it, or has just removed it.
fn locked(file: &Path) -> anyhow::Result<Option<File>> {
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    let lock = match File::create(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        lock => lock?,
    };
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error.into()),
        Ok(()) => Ok(Some(lock).filter(|lock| is_at(lock, file))),
    }
}

/// Returns whether an open file still has its name.
#[cfg(unix)]
fn is_at(file: &File, place: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |one: fs::Metadata, other: fs::Metadata| {
        (one.dev(), one.ino()) == (other.dev(), other.ino())
    };
    file.metadata().is_ok_and(|one| fs::metadata(place).is_ok_and(|other| same(one, other)))
}

#[cfg(not(unix))]
fn is_at(_file: &File, _place: &Path) -> bool {
    true
}
