//! Makes a private file tree. It shows the system's programs and libraries read-only, and what the
//! launch may read as copies (see [`super::copies`]). It has one small file system in memory for all
//! that the program writes, a `/proc` of the program's processes, and five devices. It has no home,
//! no `/tmp` of the host and no socket of another process.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};

use super::copies::{self, Shown};
use super::kernel::{about, checked};
use super::spec::Reach;

/// Folders of the system's programs and libraries.
pub(super) const SYSTEM: &[&str] =
    &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"];

/// Files of `/etc` that programs and libraries read. None of them is secret.
const SETTINGS: &[&str] =
    &["/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/ssl/openssl.cnf"];

const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom"];

const FIXED_FILES: &[(&str, &str)] = &[
    ("etc/passwd", "root:x:0:0::/:/bin/sh\nstudent:x:1000:1000::/tmp:/bin/sh\n"),
    ("etc/group", "root:x:0:\nstudent:x:1000:\n"),
    ("etc/hostname", "practical\n"),
    ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 practical\n"),
    ("etc/host.conf", "multi on\n"),
    ("etc/resolv.conf", "# There is no name server here.\n"),
    ("etc/nsswitch.conf", NAME_SERVICES),
    ("etc/services", SERVICES),
    ("etc/protocols", "ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6 41 IPv6\n"),
    ("etc/networks", "loopback 127.0.0.0\n"),
];

const NAME_SERVICES: &str = "passwd: files\ngroup: files\nhosts: files\nservices: files\n\
    protocols: files\nnetworks: files\n";

const SERVICES: &str = "echo 7/tcp\necho 7/udp\ndiscard 9/tcp sink null\ndiscard 9/udp sink null\n\
    daytime 13/tcp\nchargen 19/tcp\nftp-data 20/tcp\nftp 21/tcp\nssh 22/tcp\ntelnet 23/tcp\n\
    smtp 25/tcp mail\ntime 37/tcp timserver\ntime 37/udp timserver\ndomain 53/tcp\n\
    domain 53/udp\ntftp 69/udp\nhttp 80/tcp www\npop3 110/tcp pop-3\nntp 123/udp\n\
    imap2 143/tcp imap\nhttps 443/tcp\nhttp-alt 8080/tcp webcache\n";

/// The machine's name where there is a private file tree, as in `etc/hostname`.
pub(super) const HOST_NAME: &str = "practical";

/// Returns the places that Landlock allows to read where there is no private file tree.
pub(super) fn system_places() -> impl Iterator<Item = PathBuf> {
    let files = [
        "/etc/passwd",
        "/etc/group",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/host.conf",
        "/etc/resolv.conf",
        "/etc/hostname",
        "/etc/services",
        "/etc/protocols",
        "/etc/networks",
        "/etc/os-release",
    ];
    SYSTEM.iter().chain(SETTINGS).copied().chain(files).map(PathBuf::from).chain(settings_of_java())
}

fn settings_of_java() -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir("/etc").into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().as_bytes().starts_with(b"java-"))
        .map(|entry| entry.path())
}

/// What the tree shows, and to whom.
pub(super) struct Tree<'a> {
    pub(super) reach: &'a Reach,
    /// Where programs run: `owner` may write to it, and to `/tmp`.
    pub(super) folder: &'a Path,
    /// The bytes that may be written.
    pub(super) disk: u64,
    pub(super) owner: u32,
    /// Whether the process namespace has its own `/proc`.
    pub(super) own_proc: bool,
    /// Folders of the system that are shown empty.
    pub(super) hidden: &'a [PathBuf],
}

/// Makes the tree and enters it. The calling process must have a mount namespace to itself.
pub(super) fn enter(tree: &Tree<'_>) -> io::Result<()> {
    let Tree { reach, folder, disk, owner, own_proc, hidden } = *tree;
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    // `/sys` exists on every system, and the program needs nothing of it: the new root covers it.
    let root = Path::new("/sys");
    mount_memory(root, c"mode=755,size=1m,nr_inodes=8k")?;

    // Places that may contain others come first: `folder` may be below `/tmp` or in the system, and
    // the program's files may be in `folder`.
    offer_the_system(root)?;
    hidden.iter().try_for_each(|place| hide(place, root))?;
    let shown = how_shown(reach, owner, hidden);
    let copies: u64 = shown.iter().map(|(_, _, bytes)| bytes).sum();
    let memory = Memory::mount(root, owner, disk + copies)?;
    let of_private = if reach.write.is_empty() { NO_EXECUTION } else { 0 };
    let private = [("tmp", Path::new("/tmp")), ("shm", Path::new("/dev/shm")), ("home", folder)];
    private.iter().try_for_each(|(name, place)| memory.offer(name, place, of_private))?;
    devices(root)?;
    if own_proc {
        own_processes(root)?
    } else {
        bind(Path::new("/proc"), root, Bound::Writable)?
    }
    for (place, how, _) in &shown {
        memory.show(place, how, if executes_in(place, reach) { 0 } else { NO_EXECUTION })?;
    }
    for place in &reach.write {
        bind(place, root, Bound::Writable)?;
    }
    memory.unmount()?;
    hidden.iter().try_for_each(|place| set(&within(root, place), READ_ONLY, false))?;
    set(root, READ_ONLY | NO_SETUID, false)?;
    make_root(root)?;
    std::env::set_current_dir(folder)
}

/// Makes a mount the root of the tree and unmounts the old one.
fn make_root(root: &Path) -> io::Result<()> {
    std::env::set_current_dir(root)?;
    rustix::process::pivot_root(".", ".")?;
    Ok(rustix::mount::unmount(".", UnmountFlags::DETACH)?)
}

/// Decides how each place that the program may read is shown. A compiler gets all as it is: it has
/// folders of its own to write to.
fn how_shown<'a>(reach: &'a Reach, owner: u32, hidden: &[PathBuf]) -> Vec<(&'a Path, Shown, u64)> {
    let how = |place| match reach.write.is_empty() {
        true => copies::plan(place, owner),
        false => (Shown::AsItIs, 0),
    };
    let places = without_nested(&reach.read, hidden).into_iter();
    places
        .map(|place| (place, how(place)))
        .map(|(place, (how, bytes))| (place, how, bytes))
        .collect()
}

/// Whether the program is started from this place, or from a file in it.
fn executes_in(place: &Path, reach: &Reach) -> bool {
    let is_in = |file: &PathBuf| file.starts_with(place) || place.starts_with(file);
    reach.execute.as_ref().is_none_or(|files| files.iter().any(is_in))
}

/// Returns the folders of which the program has copies that it may change.
pub(super) fn own_folders<'a>(reach: &'a Reach, hidden: &[PathBuf]) -> Vec<&'a Path> {
    let folders = without_nested(&reach.read, hidden).into_iter().filter(|place| place.is_dir());
    folders.filter(|_| reach.write.is_empty()).collect()
}

/// Shows the system's programs, libraries and settings, and writes the few files that are the same
/// on every system.
fn offer_the_system(root: &Path) -> io::Result<()> {
    for place in SYSTEM.iter().map(Path::new) {
        match fs::symlink_metadata(place) {
            Ok(facts) if facts.is_symlink() => symlink(fs::read_link(place)?, within(root, place))?,
            Ok(_) => bind(place, root, Bound::ReadOnly)?,
            Err(_) => {}
        }
    }
    for place in
        SETTINGS.iter().map(PathBuf::from).chain(settings_of_java()).filter(|place| place.exists())
    {
        bind(&place, root, Bound::ReadOnly)?;
    }
    fs::create_dir_all(root.join("etc"))?;
    FIXED_FILES.iter().try_for_each(|(name, content)| fs::write(root.join(name), content))?;
    match Path::new("/usr/lib/os-release").exists() {
        true => symlink("../usr/lib/os-release", root.join("etc/os-release")),
        false => fs::write(root.join("etc/os-release"), "NAME=Linux\nID=linux\n"),
    }
}

fn within(root: &Path, place: &Path) -> PathBuf {
    root.join(place.strip_prefix("/").unwrap_or(place))
}

/// Shows an empty folder over one of the system's. What a program may read of it is shown in it
/// later.
fn hide(place: &Path, root: &Path) -> io::Result<()> {
    mount_memory(&within(root, place), c"mode=755,size=1m,nr_inodes=8k")
}

/// Drops places that lie in another one, which shows them already.
fn without_nested<'a>(places: &'a [PathBuf], hidden: &[PathBuf]) -> Vec<&'a Path> {
    let all: BTreeSet<&Path> =
        places.iter().map(PathBuf::as_path).filter(|place| place.exists()).collect();
    let in_the_system = |place: &Path| SYSTEM.iter().any(|system| place.starts_with(system));
    let is_hidden = |place: &Path| hidden.iter().any(|hidden| place.starts_with(hidden));
    let covered = |place: &Path| {
        place.ancestors().skip(1).any(|above| all.contains(above))
            || (in_the_system(place) && !is_hidden(place))
    };
    all.iter().copied().filter(|place| !covered(place)).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    ReadOnly,
    Writable,
    Device,
}

fn bind(place: &Path, root: &Path, how: Bound) -> io::Result<()> {
    let way_out = |error: io::Error| match error.kind() {
        kind @ io::ErrorKind::PermissionDenied => {
            io::Error::new(kind, format!("{error}; allow it: chmod a+x each folder above it"))
        }
        _ => error,
    };
    bind_at(place, &within(root, place), how)
        .map_err(|error| about(place.display(), way_out(error)))
}

fn bind_at(place: &Path, target: &Path, how: Bound) -> io::Result<()> {
    if place.is_dir() {
        fs::create_dir_all(target)?;
    } else {
        target.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::File::create(target)?;
    }
    rustix::mount::mount_bind_recursive(place, target)?;
    match how {
        Bound::ReadOnly => set(target, READ_ONLY | NO_SETUID | NO_DEVICES, true),
        Bound::Writable => set(target, NO_SETUID | NO_DEVICES, true),
        Bound::Device => set(target, NO_SETUID, false),
    }
}

const READ_ONLY: u64 = 1;
const NO_SETUID: u64 = 2;
const NO_DEVICES: u64 = 4;
const NO_EXECUTION: u64 = 8;

/// Adds flags to a mount and removes none that the host has set (mount_setattr(2)).
fn set(place: &Path, flags: u64, recursive: bool) -> io::Result<()> {
    const RECURSIVE: i32 = 0x8000;
    let path = CString::new(place.as_os_str().as_bytes())?;
    let attributes: [u64; 4] = [flags, 0, 0, 0];
    // SAFETY: path and attributes live for as long as the call, and the attributes have the
    // kernel's layout.
    checked(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            if recursive { RECURSIVE } else { 0 },
            attributes.as_ptr(),
            size_of_val(&attributes),
        )
    })?;
    Ok(())
}

fn mount_memory(place: &Path, options: &CStr) -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    rustix::mount::mount(c"tmpfs", place, c"tmpfs", flags, Some(options))
        .map_err(|error| about(format!("no file system in memory on {}", place.display()), error))
}

fn devices(root: &Path) -> io::Result<()> {
    fs::create_dir_all(root.join("dev/shm"))?;
    for name in DEVICES {
        bind(&Path::new("/dev").join(name), root, Bound::Device)?;
    }
    message_queues(root)?;
    for (name, number) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
        symlink(format!("/proc/self/fd{number}"), root.join("dev").join(name))?;
    }
    Ok(())
}

/// Shows the message queues of the private namespace, if this kernel has any.
fn message_queues(root: &Path) -> io::Result<()> {
    let place = root.join("dev/mqueue");
    fs::create_dir(&place)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    _ = rustix::mount::mount(c"mqueue", &place, c"mqueue", flags, None);
    Ok(())
}

fn own_processes(root: &Path) -> io::Result<()> {
    let place = root.join("proc");
    fs::create_dir(&place)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount(c"proc", &place, c"proc", flags, None)
        .map_err(|error| about("no private /proc", error))
}

/// A file system in memory, of limited size, for all that the program writes.
struct Memory<'a> {
    root: &'a Path,
    place: PathBuf,
    owner: u32,
}

impl<'a> Memory<'a> {
    fn mount(root: &'a Path, owner: u32, size: u64) -> io::Result<Self> {
        let place = root.join("run");
        fs::create_dir(&place)?;
        mount_memory(&place, &CString::new(format!("mode=711,size={size},nr_inodes=16k"))?)?;
        Ok(Self { root, place, owner })
    }

    /// Shows a part of it at `place`, with these flags.
    fn offer(&self, name: &str, place: &Path, flags: u64) -> io::Result<()> {
        let (part, target) = (self.place.join(name), within(self.root, place));
        fs::create_dir(&part)?;
        std::os::unix::fs::chown(&part, Some(self.owner), Some(self.owner))?;
        fs::set_permissions(&part, fs::Permissions::from_mode(0o755))?;
        fs::create_dir_all(&target)?;
        rustix::mount::mount_bind(&part, &target)?;
        set(&target, flags, false)
    }

    /// Shows a place that the program may read, its copies with these flags.
    fn show(&self, place: &Path, how: &Shown, flags: u64) -> io::Result<()> {
        let (copied, others) = match how {
            Shown::AsItIs => return bind(place, self.root, Bound::ReadOnly),
            Shown::Copied => {
                let copy = self.copy(place)?;
                let target = within(self.root, place);
                bind_at(&copy, &target, Bound::Writable)?;
                return set(&target, flags, false);
            }
            Shown::InParts { copied, others } => (copied, others),
        };
        let target = within(self.root, place);
        self.offer(&self.unused_name(), place, flags)?;
        for file in copied {
            let name = file.file_name().unwrap_or_default();
            copies::unless_gone(copies::copy(file, &target.join(name), self.owner))?;
        }
        let show = |other: &PathBuf| bind(other, self.root, Bound::ReadOnly);
        others.iter().try_for_each(|other| copies::unless_gone(show(other)))
    }

    /// Copies a place into this file system.
    fn copy(&self, place: &Path) -> io::Result<PathBuf> {
        let copy = self.place.join(self.unused_name());
        copies::copy(place, &copy, self.owner).map_err(|error| about(place.display(), error))?;
        Ok(copy)
    }

    /// Returns a name for the next part.
    fn unused_name(&self) -> String {
        let parts = fs::read_dir(&self.place).into_iter().flatten().count();
        format!("copy-{parts}")
    }

    /// Unmounts the whole; its parts stay mounted.
    fn unmount(self) -> io::Result<()> {
        Ok(rustix::mount::unmount(&self.place, UnmountFlags::DETACH)?)
    }
}
