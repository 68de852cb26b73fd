//! Tells a system that lacks a feature from a machine on which something goes wrong now. Only the
//! first may lead to fewer protections: other programs can bring about the second.

use std::fmt;
use std::io;

/// An error of another process: what it says, with its number.
#[derive(Debug)]
struct Told {
    code: i32,
    text: String,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Told {}

/// Returns an error with this number and text. The number 0 stands for none.
pub(super) fn told(code: i32, text: String) -> io::Error {
    match code {
        0 => io::Error::other(text),
        _ => io::Error::new(io::Error::from_raw_os_error(code).kind(), Told { code, text }),
    }
}

/// Returns the number of an error, or 0.
pub(super) fn code_of(error: &io::Error) -> i32 {
    let told = || Some(error.get_ref()?.downcast_ref::<Told>()?.code);
    error.raw_os_error().or_else(told).unwrap_or(0)
}

/// Returns whether an error shows that the system lacks a feature.
#[cfg(target_os = "linux")]
pub(super) fn shows_a_lack(error: &io::Error) -> bool {
    match code_of(error) {
        0 => false,
        libc::ENOSPC | libc::EUSERS => forbids_namespaces(),
        code => !OF_THE_MOMENT.contains(&code),
    }
}

/// Errors of a machine that has no room left, and of a helper process that was killed.
#[cfg(target_os = "linux")]
const OF_THE_MOMENT: [i32; 11] = [
    libc::EAGAIN,
    libc::ECONNRESET,
    libc::EINTR,
    libc::EIO,
    libc::EMFILE,
    libc::ENFILE,
    libc::ENOBUFS,
    libc::ENOMEM,
    libc::EPIPE,
    libc::ESRCH,
    libc::ETOOMANYREFS,
];

/// Returns whether the system is set to allow no namespaces of some kind (namespaces(7)).
#[cfg(target_os = "linux")]
fn forbids_namespaces() -> bool {
    ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"].iter().any(|kind| {
        let most = std::fs::read_to_string(format!("/proc/sys/user/max_{kind}_namespaces"));
        most.is_ok_and(|most| most.trim() == "0")
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: i32, expected: bool) {
        let errors = [io::Error::from_raw_os_error(code), told(code, "no namespaces".to_owned())];
        for error in errors {
            assert_eq!(shows_a_lack(&error), expected, "{error}");
        }
    }

    #[test]
    fn a_machine_without_room_lacks_no_feature() {
        for code in OF_THE_MOMENT {
            check(code, false);
        }
        check(libc::ENOSPC, forbids_namespaces());
        assert!(!shows_a_lack(&io::Error::other("the broker has gone")));
    }

    #[test]
    fn a_call_that_is_unknown_or_forbidden_is_a_lack() {
        for code in [libc::ENOSYS, libc::EPERM, libc::EACCES, libc::EINVAL, libc::EOPNOTSUPP] {
            check(code, true);
        }
    }
}
