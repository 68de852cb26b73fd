//! What a build has made, copied to where it is run. A build may leave anything in its folder: links
//! to other programs, pipes, files of any size. Nothing runs there, and only regular files of the
//! build's own are copied, after all processes of the build have ended.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The most bytes of a program, and of all that is built for it together.
const MOST_BYTES: u64 = 256 * MIB;
const MIB: u64 = 1024 * 1024;

/// The most entries of a build folder that are looked at, and the deepest.
const MOST_ENTRIES: usize = 20_000;
const DEEPEST: usize = 32;

/// What was copied, or why a program cannot be run.
pub(super) type Copied = Result<(), String>;

/// Copies one executable, which a compiler of the harness's choice has made.
pub(super) fn copy_program(from: &Path, to: &Path) -> anyhow::Result<Copied> {
    let facts = fs::symlink_metadata(from).with_context(|| from.display().to_string())?;
    match unusable(&facts).map_or_else(|| open(from), Err) {
        Ok(file) => copy_file(file, to).map(|_| Ok(())),
        Err(why) => Ok(Err(why)),
    }
}

/// Reads a folder, also one that the build has closed: its processes have ended, and no link leads
/// here.
fn read_closed(folder: &Path) -> io::Result<fs::ReadDir> {
    #[cfg(unix)]
    if fs::read_dir(folder).is_err() || fs::metadata(folder.join(".")).is_err() {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    fs::read_dir(folder)
}

/// Copies what is regular in a build folder. `program` is the path of the executable in it, for
/// languages that make one.
pub(super) fn copy_all(from: &Path, program: Option<&Path>, to: &Path) -> anyhow::Result<Copied> {
    let tree = Tree::of(&fs::canonicalize(from)?)?;
    fs::create_dir_all(to)?;
    let mut bytes = 0;
    for name in tree.entries.keys() {
        match tree.file(name) {
            Ok(file) => bytes += copy_file(file, &to.join(name))?,
            Err(why) if program == Some(name) => return Ok(Err(why)),
            Err(_) => {}
        }
        if bytes > MOST_BYTES {
            return Ok(Err(format!("the build made more than {} MiB", MOST_BYTES / MIB)));
        }
    }
    let is_there = program.is_none_or(|program| tree.entries.contains_key(program));
    Ok(if is_there { Ok(()) } else { Err("the build has not made it".to_owned()) })
}

/// The entries of a build folder, by their paths in it.
struct Tree {
    folder: PathBuf,
    entries: BTreeMap<PathBuf, Metadata>,
}

impl Tree {
    fn of(folder: &Path) -> anyhow::Result<Self> {
        let mut entries = BTreeMap::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(within) = folders.pop() {
            let Ok(found) = read_closed(&folder.join(&within)) else { continue };
            for entry in found.take(MOST_ENTRIES.saturating_sub(entries.len())) {
                let entry = entry?;
                let path = within.join(entry.file_name());
                let Ok(facts) = entry.metadata() else { continue };
                if facts.is_dir() && path.iter().count() < DEEPEST {
                    folders.push(path.clone());
                }
                entries.insert(path, facts);
            }
        }
        Ok(Self { folder: folder.to_owned(), entries })
    }

    /// Opens the regular file of this name. A link may lead to another one in the same folder.
    fn file(&self, name: &Path) -> Result<File, String> {
        let facts = self.entries.get(name).ok_or("the build has not made it")?;
        let (name, facts) = match facts.is_symlink() {
            true => self.behind_link(name).ok_or("it is a link that leads out of the build")?,
            false => (name.to_owned(), facts),
        };
        match unusable(facts) {
            Some(why) => Err(why),
            None if self.has_other_names(facts) => {
                Err("it is a second name of a file that the build has not made".to_owned())
            }
            None => open(&self.folder.join(name)),
        }
    }

    fn behind_link(&self, name: &Path) -> Option<(PathBuf, &Metadata)> {
        let target = fs::canonicalize(self.folder.join(name)).ok()?;
        let name = target.strip_prefix(&self.folder).ok()?;
        Some((name.to_owned(), self.entries.get(name)?))
    }

    /// Returns whether a file has a name outside of the build folder.
    #[cfg(unix)]
    fn has_other_names(&self, file: &Metadata) -> bool {
        use std::os::unix::fs::MetadataExt;
        let is_same = |other: &&Metadata| (other.dev(), other.ino()) == (file.dev(), file.ino());
        let names = || self.entries.values().filter(is_same).count() as u64;
        file.nlink() > 1 && file.nlink() != names()
    }

    #[cfg(not(unix))]
    fn has_other_names(&self, _file: &Metadata) -> bool {
        false
    }
}

fn unusable(facts: &Metadata) -> Option<String> {
    match facts.len() {
        _ if !facts.is_file() => Some("it is not a regular file".to_owned()),
        bytes if bytes > MOST_BYTES => {
            Some(format!("it has {bytes} bytes, and {} MiB is the most", MOST_BYTES / MIB))
        }
        _ => None,
    }
}

/// Copies a file that everyone may read and that nobody may write, and returns its size.
fn copy_file(source: File, to: &Path) -> anyhow::Result<u64> {
    let copy = || -> io::Result<u64> {
        fs::create_dir_all(to.parent().unwrap_or(to))?;
        let (facts, mut copy) = (source.metadata()?, File::create_new(to)?);
        let bytes = io::copy(&mut source.take(MOST_BYTES), &mut copy)?;
        make_readable(&copy, &facts)?;
        Ok(bytes)
    };
    copy().with_context(|| to.display().to_string())
}

#[cfg(unix)]
fn make_readable(copy: &File, facts: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = if facts.permissions().mode() & 0o111 == 0 { 0o444 } else { 0o555 };
    copy.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn make_readable(_copy: &File, _facts: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Opens a file, and no link, and waits for nothing. The owner gets the right to read it.
#[cfg(unix)]
fn open(file: &Path) -> Result<File, String> {
    use rustix::fs::{CWD, Mode, OFlags, openat};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = || openat(CWD, file, flags, Mode::empty());
    let opened = open().or_else(|_| {
        let mode = Mode::from_raw_mode(rustix::fs::lstat(file)?.st_mode) | Mode::RUSR;
        rustix::fs::chmodat(CWD, file, mode, rustix::fs::AtFlags::empty())?;
        open()
    });
    opened.map(File::from).map_err(|error| format!("it cannot be read: {error}"))
}

#[cfg(not(unix))]
fn open(file: &Path) -> Result<File, String> {
    File::open(file).map_err(|error| format!("it cannot be read: {error}"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// Makes a build folder, and says what becomes of the program in it.
    #[track_caller]
    fn check(make: impl FnOnce(&Path), expected: Result<&str, &str>) {
        let (folder, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        make(folder.path());
        let copied = copy_all(folder.path(), Some(Path::new("server")), to.path()).unwrap();
        let content = copied.map(|()| fs::read_to_string(to.path().join("server")).unwrap());
        let content = content.as_ref().map(|text| &**text).map_err(|why| &**why);
        assert_eq!(content, expected);
    }

    fn program(place: &Path) {
        fs::write(place, "program").unwrap();
        fs::set_permissions(place, fs::Permissions::from_mode(0o4755)).unwrap();
    }

    #[test]
    fn only_what_the_build_has_made_is_copied() {
        let other = tempfile::tempdir().unwrap();
        let solution = other.path().join("solution");
        program(&solution);
        check(|out| program(&out.join("server")), Ok("program"));
        check(
            |out| {
                program(&out.join("release"));
                symlink("release", out.join("server")).unwrap();
                fs::hard_link(out.join("release"), out.join("third")).unwrap();
            },
            Ok("program"),
        );
        check(
            |out| symlink(&solution, out.join("server")).unwrap(),
            Err("it is a link that leads out of the build"),
        );
        check(
            |out| fs::hard_link(&solution, out.join("server")).unwrap(),
            Err("it is a second name of a file that the build has not made"),
        );
        check(|_| {}, Err("the build has not made it"));
        check(|out| fs::create_dir(out.join("server")).unwrap(), Err("it is not a regular file"));
    }

    #[test]
    fn a_program_of_a_terabyte_is_not_copied() {
        let large = |place: &Path| File::create(place).unwrap().set_len(1 << 40).unwrap();
        check(
            |out| large(&out.join("server")),
            Err("it has 1099511627776 bytes, and 256 MiB is the most"),
        );
        check(
            |out| {
                program(&out.join("server"));
                large(&out.join("data"));
            },
            Ok("program"),
        );
    }

    #[test]
    fn a_copy_has_neither_another_mode_nor_a_folder_that_loops() {
        let (folder, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        program(&folder.path().join("server"));
        fs::create_dir(folder.path().join("more")).unwrap();
        symlink("..", folder.path().join("more/above")).unwrap();
        fs::write(folder.path().join("more/data"), "").unwrap();
        copy_all(folder.path(), None, to.path()).unwrap().unwrap();
        let mode = |name| fs::metadata(to.path().join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("server"), mode("more/data")), (0o555, 0o444));
        assert!(!to.path().join("more/above").exists());
    }
}
