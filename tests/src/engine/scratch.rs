//! The folder for the working folders of one run.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::sandbox::{Folder, remove_folder};

/// A folder for the working folders of one run, removed when it is dropped. Folders that a killed
/// run left behind are removed here: each holds a lock file, which the system unlocks when its
/// process is gone.
#[derive(Debug)]
pub struct Scratch {
    folder: Folder,
    _lock: File,
}

/// What the folders' names begin with.
const SCRATCH: &str = "socket-practicals-";
const LOCK: &str = "lock";

impl Scratch {
    /// Makes one in the system's temporary folder, and removes what no run uses any more.
    pub fn new() -> io::Result<Self> {
        Self::within(&std::env::temp_dir())
    }

    fn within(within: &Path) -> io::Result<Self> {
        remove_abandoned(within);
        let folder = Folder::new(within, SCRATCH)?;
        // It is locked before it has its name, so no other run sees it unlocked.
        let unnamed = folder.path().join("lock.new");
        let lock = File::create(&unnamed)?;
        lock.lock()?;
        std::fs::rename(unnamed, folder.path().join(LOCK))?;
        living().push(folder.path().to_owned());
        Ok(Self { folder, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        living().retain(|folder| folder != self.folder.path());
    }
}

/// The folders of this process.
static LIVING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn living() -> MutexGuard<'static, Vec<PathBuf>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the folders of this process, which is about to end, also while other threads add files.
pub fn remove_scratch() {
    for folder in living().iter() {
        let mut attempts = 0..100;
        while attempts.next().is_some() && remove_folder(folder).is_err() && folder.exists() {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn remove_abandoned(within: &Path) {
    let Ok(entries) = std::fs::read_dir(within) else { return };
    let named =
        entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(SCRATCH));
    for folder in named.map(|entry| entry.path()).filter(|folder| is_abandoned(folder)) {
        _ = remove_folder(&folder);
    }
}

/// Returns whether this user's killed run has left this folder. Anyone may make entries with such
/// names in a shared temporary folder: links, pipes, and folders with a pipe as their lock.
fn is_abandoned(folder: &Path) -> bool {
    match lock_of(folder) {
        Ok(lock) => lock.try_lock().is_ok(),
        // Killed between making the folder and its lock; a living run needs microseconds for that.
        Err(NoLock::Missing(age)) => age > Duration::from_secs(10),
        Err(NoLock::Another) => false,
    }
}

/// Why a folder has no lock that can be tried.
enum NoLock {
    /// The folder is of this age.
    Missing(Duration),
    /// It is no folder of this user.
    Another,
}

impl From<io::Error> for NoLock {
    fn from(_: io::Error) -> Self {
        Self::Another
    }
}

#[cfg(unix)]
fn lock_of(folder: &Path) -> Result<File, NoLock> {
    use rustix::fs::{CWD, Mode, OFlags, openat};
    use std::os::unix::fs::MetadataExt;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = |at, name, kind| openat(at, name, flags | kind, Mode::empty());
    let folder = File::from(open(CWD, folder, OFlags::DIRECTORY).map_err(io::Error::from)?);
    let facts = folder.metadata()?;
    if facts.uid() != rustix::process::geteuid().as_raw() {
        return Err(NoLock::Another);
    }
    let age = facts.modified()?.elapsed().unwrap_or_default();
    let lock = openat(&folder, LOCK, flags, Mode::empty()).map(File::from);
    match lock {
        Ok(lock) if lock.metadata()?.is_file() => Ok(lock),
        _ => Err(NoLock::Missing(age)),
    }
}

#[cfg(not(unix))]
fn lock_of(folder: &Path) -> Result<File, NoLock> {
    let age = std::fs::metadata(folder)?.modified()?.elapsed().unwrap_or_default();
    File::open(folder.join(LOCK)).map_err(|_| NoLock::Missing(age))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    /// Makes an entry in a temporary folder, and returns whether a new run leaves it there.
    fn stays(make: impl FnOnce(&Path)) -> bool {
        let within = tempfile::tempdir().unwrap();
        let entry = within.path().join("socket-practicals-x");
        make(&entry);
        drop(Scratch::within(within.path()).unwrap());
        entry.symlink_metadata().is_ok()
    }

    fn pipe(place: &Path) {
        assert!(Command::new("mkfifo").arg(place).status().unwrap().success());
    }

    fn folder_of_a_killed_run(place: &Path) {
        fs::create_dir_all(place.join("run")).unwrap();
        fs::write(place.join(LOCK), "").unwrap();
    }

    #[test]
    fn a_killed_run_is_cleaned_up_and_a_living_one_is_not() {
        assert!(!stays(folder_of_a_killed_run));
        let mut living = None;
        assert!(stays(|place| {
            folder_of_a_killed_run(place);
            let lock = File::open(place.join(LOCK)).unwrap();
            lock.lock().unwrap();
            living = Some(lock);
        }));
    }

    /// Opening a pipe for reading waits until something writes to it.
    #[test]
    fn a_pipe_in_the_place_of_the_folder_or_its_lock_holds_nothing_up() {
        assert!(stays(pipe));
        assert!(stays(|place| {
            fs::create_dir(place).unwrap();
            pipe(&place.join(LOCK));
        }));
    }

    #[test]
    fn what_a_link_leads_to_stays() {
        let home = tempfile::tempdir().unwrap();
        folder_of_a_killed_run(home.path());
        assert!(stays(|place| symlink(home.path(), place).unwrap()));
        assert!(home.path().join("run").exists());
        assert!(stays(|place| {
            fs::create_dir(place).unwrap();
            symlink(home.path().join(LOCK), place.join(LOCK)).unwrap();
        }));
    }

    /// Only root can make a folder of another user.
    #[test]
    fn a_folder_of_another_user_stays() {
        if rustix::process::geteuid().is_root() {
            assert!(stays(|place| {
                folder_of_a_killed_run(place);
                std::os::unix::fs::chown(place, Some(65_534), Some(65_534)).unwrap();
            }));
        }
    }
}
