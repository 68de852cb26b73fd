//! Chooses the user that a launch runs as where root grades, and becomes this user.
//!
//! Each program and each build gets a user id that no other living launch has. What the kernel
//! counts or allows for each user then never reaches from one launch to another: signals, limits,
//! modes of files, and sockets that share a port. The files of a build are given to its user first.

use std::fs;
use std::io;
use std::os::unix::fs::lchown;
use std::path::Path;

use rustix::fs::AtFlags;
use rustix::process::{DumpableBehavior, Gid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::folder::for_each_entry;

/// The user `nobody`, by its usual number.
pub(super) const NOBODY: u32 = 65_534;

/// The first of the ids for launches. No distribution and no container runtime assigns ids from
/// here on (systemd's table of users, UIDS-GIDS.md).
pub(super) const FIRST: u32 = 0x7000_0000;

/// The number of ids for launches: the kernel's largest process id (proc_sys_kernel(5), pid_max).
pub(super) const COUNT: u32 = 1 << 22;

/// Returns the user of a launch; `None` unless this process is root and can become another user.
/// `launcher` is the launcher's process id.
pub(super) fn of_launch(launcher: u32) -> Option<u32> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let own = FIRST.checked_add(launcher).filter(|_| launcher < COUNT && is_mapped(FIRST, COUNT));
    own.or(Some(NOBODY).filter(|nobody| is_mapped(*nobody, 1)))
}

/// Whether launches have other users than this process.
pub(super) fn are_others() -> bool {
    of_launch(0).is_some()
}

/// Whether ids from `first` on exist in this process's user namespace, as users and as groups.
pub(super) fn is_mapped(first: u32, count: u32) -> bool {
    let covers = |line: &str| {
        let numbers: Vec<u64> =
            line.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [start, _, length] = numbers[..] else { return false };
        start <= first.into() && u64::from(first) + u64::from(count) <= start + length
    };
    ["/proc/self/uid_map", "/proc/self/gid_map"]
        .iter()
        .all(|map| fs::read_to_string(map).is_ok_and(|text| text.lines().any(covers)))
}

/// Gives a place, and all below it, to a user. No process may change what is there meanwhile.
pub(super) fn give(place: &Path, user: u32) -> io::Result<()> {
    lchown(place, Some(user), Some(user))?;
    if !fs::symlink_metadata(place)?.is_dir() {
        return Ok(());
    }
    let (owner, group) = (Some(Uid::from_raw(user)), Some(Gid::from_raw(user)));
    for_each_entry(place, |folder, name, _| {
        Ok(rustix::fs::chownat(folder, name, owner, group, AtFlags::SYMLINK_NOFOLLOW)?)
    })
}

/// Gives the pipes of this process's output to a user: a program may open `/dev/stdout` by name.
pub(super) fn give_output(user: u32) {
    let (user, group) = (Some(Uid::from_raw(user)), Some(Gid::from_raw(user)));
    _ = rustix::fs::fchown(rustix::stdio::stdout(), user, group);
    _ = rustix::fs::fchown(rustix::stdio::stderr(), user, group);
}

/// Becomes a user for good, and keeps the capabilities until [`renounce`].
pub(super) fn become_user(user: u32) -> io::Result<()> {
    lock_securebits();
    // SAFETY: these calls take numbers, and this process has one thread.
    let done = unsafe {
        libc::setgroups(0, std::ptr::null()) == 0
            && libc::setresgid(user, user, user) == 0
            && libc::setresuid(user, user, user) == 0
    };
    if !done {
        return Err(io::Error::last_os_error());
    }
    Ok(rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable)?)
}

/// Lets this thread look into processes of a user, where root must not look into every process, as
/// in most containers: the kernel then compares users (setfsuid(2), ptrace(2)).
pub(super) fn look_as(user: u32) {
    let all = CapabilitySet::SYS_PTRACE;
    if rustix::thread::capabilities(None).is_ok_and(|own| own.effective.contains(all)) {
        return;
    }
    // SAFETY: the calls take numbers, and change this thread alone.
    unsafe {
        libc::syscall(libc::SYS_setfsgid, libc::c_long::from(user));
        libc::syscall(libc::SYS_setfsuid, libc::c_long::from(user));
    }
}

/// Drops all capabilities. Where a folder above what the program needs is closed to its user,
/// `needs` says so, and the right to pass such folders stays: Landlock still limits what is read.
pub(super) fn renounce(needs: impl FnOnce() -> bool) -> io::Result<()> {
    lock_securebits();
    let none = CapabilitySet::empty();
    let passing = rustix::thread::capabilities(None)?.permitted & CapabilitySet::DAC_READ_SEARCH;
    let sets =
        |effective, permitted| CapabilitySets { effective, permitted, inheritable: permitted };
    rustix::thread::set_capabilities(None, sets(none, passing))?;
    if passing.is_empty() || !needs() {
        return Ok(rustix::thread::set_capabilities(None, sets(none, none))?);
    }
    rustix::thread::set_capabilities(None, sets(passing, passing))?;
    Ok(rustix::thread::configure_capability_in_ambient_set(passing, true)?)
}

/// Makes capabilities independent of user ids: executing a program as root does not restore them,
/// and changing the user does not drop them (capabilities(7), securebits).
fn lock_securebits() {
    const NO_ROOT: libc::c_ulong = 0b1111; // SECBIT_NOROOT, SECBIT_NO_SETUID_FIXUP, both locked
    // SAFETY: the call takes numbers. It fails without the capability, and then there is nothing to
    // drop.
    unsafe { libc::prctl(libc::PR_SET_SECUREBITS, NO_ROOT, 0, 0, 0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_launches_have_the_same_user_where_root_grades() {
        let is_root = rustix::process::getuid().is_root();
        if !is_root || !is_mapped(FIRST, COUNT) {
            assert_eq!(of_launch(10).filter(|user| *user != NOBODY), None);
            return;
        }
        assert_ne!(of_launch(10), of_launch(11));
        assert!(are_others());
    }
}
