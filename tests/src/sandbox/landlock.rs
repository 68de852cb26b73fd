//! Restricts what a process and its descendants may do with files and with other processes
//! (landlock(7)).
//!
//! It takes three system calls and two structures. What the kernel's version of Landlock does not
//! know is left out.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

use super::kernel::checked;

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_BLOCK: u64 = 1 << 11;
/// The rights that the first version knows.
const BASIC: u64 = (1 << 13) - 1;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEVICE: u64 = 1 << 15;

/// The rights that apply to files other than folders.
const OF_A_FILE: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE;

const CONNECT_TCP: u64 = 1 << 1;
const SCOPES: u64 = 0b11; // abstract Unix sockets; signals

/// The rights below a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access(u64);

impl Access {
    pub(super) const LIST: Self = Self(READ_DIR);
    pub(super) const READ: Self = Self(READ_FILE | READ_DIR);
    pub(super) const EXECUTE: Self = Self(EXECUTE | READ_FILE);
    pub(super) const READ_AND_EXECUTE: Self = Self(EXECUTE | READ_FILE | READ_DIR);
    pub(super) const DEVICE: Self =
        Self(READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | IOCTL_DEVICE);
    pub(super) const WRITE: Self = Self(!(EXECUTE | MAKE_CHAR | MAKE_BLOCK | IOCTL_DEVICE));
    pub(super) const EVERYTHING: Self = Self(!(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEVICE));
}

#[repr(C)]
struct RulesetAttributes {
    files: u64,
    network: u64,
    scoped: u64,
}

#[repr(C)]
struct PortAttributes {
    access: u64,
    port: u64,
}

#[repr(C, packed)]
struct BeneathAttributes {
    access: u64,
    parent: i32,
}

/// Returns the kernel's version of Landlock (landlock_create_ruleset(2)).
fn version() -> io::Result<i64> {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the call takes no structure.
    checked(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0usize, 0usize, VERSION) })
}

/// A set of rules. Everything that no rule allows is forbidden.
#[derive(Debug)]
pub(super) struct Rules {
    ruleset: OwnedFd,
    handled: u64,
    network: u64,
}

impl Rules {
    /// Returns rules that allow nothing. They forbid connecting by TCP only where the network is
    /// `shared`.
    pub(super) fn new(shared: bool) -> io::Result<Self> {
        let version = version()?;
        let files = BASIC
            | if version >= 2 { REFER } else { 0 }
            | if version >= 3 { TRUNCATE } else { 0 }
            | if version >= 5 { IOCTL_DEVICE } else { 0 };
        let network = if version >= 4 && shared { CONNECT_TCP } else { 0 };
        let scoped = if version >= 6 { SCOPES } else { 0 };
        let attributes = RulesetAttributes { files, network, scoped };
        let known = match version {
            ..4 => 8,
            4 | 5 => 16,
            _ => size_of::<RulesetAttributes>(),
        };
        // SAFETY: the structure has the kernel's layout, and lives for as long as the call.
        let ruleset = checked(unsafe {
            libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attributes, known, 0u32)
        })?;
        // SAFETY: the call has just returned this descriptor, and it has no other owner.
        let ruleset = unsafe { OwnedFd::from_raw_fd(ruleset as i32) };
        Ok(Self { ruleset, handled: files, network })
    }

    /// Allows `access` below `place`, if it exists.
    pub(super) fn allow(&self, place: &Path, access: Access) -> io::Result<()> {
        use rustix::fs::{Mode, OFlags};
        let Ok(parent) = rustix::fs::open(place, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        else {
            return Ok(());
        };
        let is_folder = rustix::fs::fstat(&parent)?.st_mode & libc::S_IFMT == libc::S_IFDIR;
        let applicable = if is_folder { self.handled } else { self.handled & OF_A_FILE };
        let rule = BeneathAttributes { access: access.0 & applicable, parent: parent.as_raw_fd() };
        const PATH_BENEATH: u32 = 1;
        self.add(PATH_BENEATH, (&raw const rule).cast())
    }

    /// Allows connecting to this port on any address: Landlock knows no addresses.
    pub(super) fn allow_connecting(&self, port: u16) -> io::Result<()> {
        const NET_PORT: u32 = 2;
        if self.network == 0 {
            return Ok(());
        }
        let rule = PortAttributes { access: CONNECT_TCP, port: port.into() };
        self.add(NET_PORT, (&raw const rule).cast())
    }

    fn add(&self, kind: u32, rule: *const libc::c_void) -> io::Result<()> {
        let ruleset = self.ruleset.as_raw_fd();
        // SAFETY: both structures have the kernel's layout, and live for as long as the call.
        checked(unsafe { libc::syscall(libc::SYS_landlock_add_rule, ruleset, kind, rule, 0u32) })?;
        Ok(())
    }

    /// Restricts this process and its descendants to the rules from now on. The process must have
    /// given up new privileges before.
    pub(super) fn enforce(&self) -> io::Result<()> {
        let ruleset = self.ruleset.as_raw_fd();
        // SAFETY: the call takes a descriptor and no memory.
        checked(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0u32) })?;
        Ok(())
    }
}
