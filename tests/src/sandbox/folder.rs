//! A temporary folder, removed with all that programs have left in it.
//!
//! A program may leave folders that nobody may open, trees deeper than a path can name, and more
//! folders within folders than a process may hold open. They are removed all the same.

use std::io;
use std::path::{Path, PathBuf};

/// A temporary folder. It is removed when the value is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes a folder in `within` whose name begins with `prefix`. Only this user may open it.
    pub fn new(within: &Path, prefix: &str) -> io::Result<Self> {
        Ok(Self(tempfile::Builder::new().prefix(prefix).tempdir_in(within)?.keep()))
    }

    /// Makes such a folder, which others may pass but not list, as far as they may pass the folders
    /// above it. Programs of another user reach what is in it.
    pub fn passable(within: &Path, prefix: &str) -> io::Result<Self> {
        let folder = Self::new(within, prefix)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711))?;
        }
        Ok(folder)
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = remove_folder(&self.0);
    }
}

/// Removes a folder with all that is in it. Links are removed and never followed.
#[cfg(not(unix))]
pub fn remove_folder(folder: &Path) -> io::Result<()> {
    std::fs::remove_dir_all(folder)
}

#[cfg(target_os = "linux")]
pub(crate) use of_unix::for_each_entry;
#[cfg(unix)]
pub(crate) use of_unix::size_of_folder;

#[cfg(unix)]
pub use of_unix::remove_folder;

#[cfg(unix)]
mod of_unix {
    use std::ffi::{CStr, CString, OsStr};
    use std::io;
    #[cfg(target_os = "linux")]
    use std::os::fd::AsRawFd;
    use std::os::fd::{AsFd, OwnedFd};
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};
    use std::rc::Rc;

    use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
    use rustix::io::Errno;

    /// The most names that are read before they are removed.
    const AT_ONCE: usize = 1000;

    /// Removes a folder with all that is in it. Links are removed and never followed.
    ///
    /// A folder within a folder within this one is first moved to the top, so that no path becomes
    /// long and three descriptors are enough for any depth.
    pub fn remove_folder(folder: &Path) -> io::Result<()> {
        let top = open(CWD, folder)?;
        loop {
            let names = some_names(&top)?;
            if names.is_empty() {
                return std::fs::remove_dir(folder);
            }
            for name in names {
                remove(&top, &name)?;
            }
        }
    }

    /// The least that an entry counts, with its name and its facts.
    const LEAST: u64 = 4096;

    /// The most entries that are looked at, and the size of a folder that has more.
    const MOST_ENTRIES: u64 = 1_000_000;
    const TOO_MUCH: u64 = u64::MAX / 1024;

    /// The longest path from one open folder to the next.
    const LONGEST: usize = 2000;

    /// Returns the bytes that a folder takes on disk, also of what no path can name. A closed folder
    /// is opened.
    pub(crate) fn size_of_folder(folder: &Path) -> u64 {
        let (mut size, mut entries) = (0, 0);
        let looked = for_each_entry(folder, |_, _, facts| {
            entries += 1;
            size += LEAST.max(facts.st_blocks as u64 * 512);
            if entries > MOST_ENTRIES { Err(Errno::TOOBIG.into()) } else { Ok(()) }
        });
        match looked {
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            looked => looked.map_or(TOO_MUCH, |()| size),
        }
    }

    /// Calls `look` for each entry of a folder, also for what no path can name, with the folder that
    /// it is in and its facts.
    pub(crate) fn for_each_entry(
        folder: &Path,
        mut look: impl FnMut(&OwnedFd, &CStr, &Stat) -> io::Result<()>,
    ) -> io::Result<()> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let top = open_closed(|how| rustix::fs::openat(CWD, folder, flags | how, Mode::empty()))?;
        let mut folders = vec![(Rc::new(top), PathBuf::from("."))];
        while let Some((above, path)) = folders.pop() {
            let folder = match open_beneath(&above, &path) {
                Err(error) if is_out_of_descriptors(&error) => return Err(error),
                Err(_) => continue,
                Ok(folder) => Rc::new(folder),
            };
            let Ok(inside) = Dir::read_from(&*folder) else { continue };
            for entry in inside.flatten().filter(|entry| !is_dots(entry.file_name())) {
                let name = entry.file_name();
                let Ok(facts) = rustix::fs::statat(&*folder, name, AtFlags::SYMLINK_NOFOLLOW)
                else {
                    continue;
                };
                look(&folder, name, &facts)?;
                if FileType::from_raw_mode(facts.st_mode) == FileType::Directory {
                    folders.push(below(&above, &path, &folder, OsStr::from_bytes(name.to_bytes())));
                }
            }
        }
        Ok(())
    }

    /// Opens a folder that lies below another one, whatever a living program puts in its place.
    #[cfg(target_os = "linux")]
    fn open_beneath(above: &OwnedFd, path: &Path) -> io::Result<OwnedFd> {
        use rustix::fs::{ResolveFlags, openat2};
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        open_closed(|how| openat2(above, path, flags | how, Mode::empty(), beneath))
    }

    /// Opens a folder to read it. Its owner gets the right to do so.
    #[cfg(target_os = "linux")]
    fn open_closed(open: impl Fn(OFlags) -> rustix::io::Result<OwnedFd>) -> io::Result<OwnedFd> {
        let opened = open(OFlags::RDONLY).or_else(|error| match error {
            Errno::ACCESS => {
                let closed = open(OFlags::PATH)?;
                let place = format!("/proc/self/fd/{}", closed.as_raw_fd());
                rustix::fs::chmodat(CWD, place, Mode::RWXU, AtFlags::empty())?;
                open(OFlags::RDONLY)
            }
            error => Err(error),
        });
        Ok(opened?)
    }

    #[cfg(not(target_os = "linux"))]
    fn open_closed(open: impl Fn(OFlags) -> rustix::io::Result<OwnedFd>) -> io::Result<OwnedFd> {
        Ok(open(OFlags::RDONLY)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn open_beneath(above: &OwnedFd, path: &Path) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(above, path, flags, Mode::empty())?)
    }

    /// Names a folder in `folder`: from there, if the path from `above` on becomes too long.
    fn below(
        above: &Rc<OwnedFd>,
        path: &Path,
        folder: &Rc<OwnedFd>,
        name: &OsStr,
    ) -> (Rc<OwnedFd>, PathBuf) {
        match path.as_os_str().len() < LONGEST {
            true => (above.clone(), path.join(name)),
            false => (folder.clone(), name.into()),
        }
    }

    fn is_out_of_descriptors(error: &io::Error) -> bool {
        [Errno::MFILE, Errno::NFILE].contains(&Errno::from_io_error(error).unwrap_or(Errno::PERM))
    }

    fn is_dots(name: &CStr) -> bool {
        matches!(name.to_bytes(), b"." | b"..")
    }

    /// Removes an entry of the top folder.
    fn remove(top: &OwnedFd, name: &CStr) -> io::Result<()> {
        if !is_folder(top, name)? {
            return unless_gone(rustix::fs::unlinkat(top, name, AtFlags::empty()));
        }
        let folder = open(top, name)?;
        loop {
            let names = some_names(&folder)?;
            if names.is_empty() {
                return Ok(rustix::fs::unlinkat(top, name, AtFlags::REMOVEDIR)?);
            }
            for child in names {
                match is_folder(&folder, &child)? {
                    true => move_up(&folder, &child, top)?,
                    false => {
                        unless_gone(rustix::fs::unlinkat(&folder, &*child, AtFlags::empty()))?;
                    }
                }
            }
        }
    }

    /// Moves a folder into another one, under an unused name. Its owner must have the right to
    /// write to it.
    fn move_up(from: &OwnedFd, name: &CStr, top: &OwnedFd) -> io::Result<()> {
        drop(open(from, name)?);
        let unused = CString::new(format!("moved-{:016x}", fastrand::u64(..)))?;
        Ok(rustix::fs::renameat(from, name, top, unused)?)
    }

    fn is_folder(at: &OwnedFd, name: &CStr) -> io::Result<bool> {
        let facts = match rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(false),
            facts => facts?,
        };
        Ok(FileType::from_raw_mode(facts.st_mode) == FileType::Directory)
    }

    /// Opens a folder, and gives its owner all rights to it.
    fn open(at: impl AsFd, name: impl rustix::path::Arg + Copy) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || rustix::fs::openat(&at, name, flags, Mode::empty());
        let folder = match open() {
            Err(Errno::ACCESS) => {
                rustix::fs::chmodat(&at, name, Mode::RWXU, AtFlags::empty())?;
                open()?
            }
            folder => folder?,
        };
        if !Mode::from_raw_mode(rustix::fs::fstat(&folder)?.st_mode).contains(Mode::RWXU) {
            rustix::fs::fchmod(&folder, Mode::RWXU)?;
        }
        Ok(folder)
    }

    fn some_names(folder: &OwnedFd) -> io::Result<Vec<CString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(folder)? {
            let name = entry?.file_name().to_owned();
            if !is_dots(&name) {
                names.push(name);
            }
            if names.len() == AT_ONCE {
                break;
            }
        }
        Ok(names)
    }

    fn unless_gone(removed: rustix::io::Result<()>) -> io::Result<()> {
        match removed {
            Err(Errno::NOENT) => Ok(()),
            other => Ok(other?),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn what_cannot_be_opened_is_removed() {
        let folder = Folder::new(&std::env::temp_dir(), "removed-").unwrap();
        let closed = folder.path().join("a/b/closed");
        fs::create_dir_all(closed.join("more")).unwrap();
        for folder in [&closed.join("more"), &closed, &folder.path().join("a")] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o000)).unwrap();
        }
        remove_folder(folder.path()).unwrap();
        assert!(!folder.path().exists());
    }

    #[test]
    fn links_are_not_followed() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("diary"), "").unwrap();
        let folder = Folder::new(&std::env::temp_dir(), "removed-").unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        symlink(home.path(), folder.path().join("home")).unwrap();
        symlink(home.path(), folder.path().join("a/home")).unwrap();
        remove_folder(folder.path()).unwrap();
        assert!(home.path().join("diary").exists() && !folder.path().exists());
    }

    /// The path of the last folder has more than 4,096 bytes, and there are more folders than a
    /// process may usually open.
    #[test]
    fn a_tree_that_no_path_can_name_is_removed() {
        use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
        let folder = Folder::new(&std::env::temp_dir(), "removed-").unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let mut at = openat(CWD, folder.path(), flags, Mode::empty()).unwrap();
        for _ in 0..1500 {
            mkdirat(&at, "deeper", Mode::RWXU).unwrap();
            at = openat(&at, "deeper", flags, Mode::empty()).unwrap();
        }
        assert!(size_of_folder(folder.path()) < 20 * MIB);
        let large = OFlags::WRONLY | OFlags::CREATE;
        let large = openat(&at, "large", large, Mode::from_raw_mode(0o644)).unwrap();
        rustix::io::write(&large, &vec![1; 20 * MIB as usize]).unwrap();
        rustix::fs::fchmod(&at, Mode::empty()).unwrap();
        drop(at);
        assert!(size_of_folder(folder.path()) > 20 * MIB);
        remove_folder(folder.path()).unwrap();
        assert!(!folder.path().exists());
    }

    #[test]
    fn many_empty_files_count() {
        let folder = tempfile::tempdir().unwrap();
        (0..1000).for_each(|n| fs::write(folder.path().join(n.to_string()), "").unwrap());
        assert!(size_of_folder(folder.path()) >= 1000 * 4096);
    }
}
