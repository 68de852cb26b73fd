//! The folder for the working folders of one run.

use std::io;
use std::time::Duration;

/// A folder for the working folders of one run, removed when it is dropped. Folders that a killed
/// run left behind are removed here: each holds a lock file, which the system unlocks when its
/// process is gone.
#[derive(Debug)]
pub struct Scratch {
    folder: tempfile::TempDir,
    _lock: std::fs::File,
}

/// What the folders' names begin with.
const SCRATCH: &str = "socket-practicals-";
const LOCK: &str = "lock";

impl Scratch {
    /// Makes one in the system's temporary folder, and removes what no run uses any more.
    pub fn new() -> io::Result<Self> {
        let within = std::env::temp_dir();
        remove_abandoned(&within);
        let folder = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(within)?;
        // Locked before it has its name: no other run can see it unlocked.
        let unnamed = folder.path().join("lock.new");
        let lock = std::fs::File::create(&unnamed)?;
        lock.lock()?;
        std::fs::rename(unnamed, folder.path().join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &std::path::Path {
        self.folder.path()
    }
}

fn remove_abandoned(within: &std::path::Path) {
    let Ok(entries) = std::fs::read_dir(within) else { return };
    let ours =
        entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(SCRATCH));
    for folder in ours.map(|entry| entry.path()) {
        let abandoned = match std::fs::File::open(folder.join(LOCK)) {
            Ok(lock) => lock.try_lock().is_ok(),
            // Killed between making the folder and its lock; a living run needs microseconds for
            // that.
            Err(_) => age(&folder).is_some_and(|age| age > Duration::from_secs(10)),
        };
        if abandoned {
            _ = std::fs::remove_dir_all(folder);
        }
    }
}

fn age(folder: &std::path::Path) -> Option<Duration> {
    std::fs::metadata(folder).ok()?.modified().ok()?.elapsed().ok()
}
