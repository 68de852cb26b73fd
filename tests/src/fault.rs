//! The harness's own errors. They cost no student a point, and never become a verdict.

use std::fmt;
use std::io::{Error, ErrorKind};

/// An error of the harness or of the machine. It costs no point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl Fault {
    /// Returns the fault for an error that the machine causes, with the way out: no descriptor, no
    /// process, no memory or no disk is left. Returns `None` for other errors.
    pub fn of_machine(error: &Error) -> Option<Self> {
        let way_out = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space there",
            ErrorKind::ReadOnlyFilesystem => "it must be writable",
            ErrorKind::OutOfMemory => "close other programs and try again",
            _ => way_out_of(error.raw_os_error()?)?,
        };
        Some(Self(format!("{error}: {way_out}")))
    }
}

#[cfg(unix)]
fn way_out_of(code: i32) -> Option<&'static str> {
    use rustix::io::Errno;
    match Errno::from_raw_os_error(code) {
        Errno::MFILE => Some("raise `ulimit -n`"),
        Errno::NFILE | Errno::AGAIN => Some("close other programs and try again"),
        Errno::IO => Some("is the disk damaged?"),
        _ => None,
    }
}

#[cfg(not(unix))]
fn way_out_of(_code: i32) -> Option<&'static str> {
    None
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::of_machine(&error).unwrap_or_else(|| Self(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_the_machine_lacks_is_told_with_the_way_out() {
        let told = |code: rustix::io::Errno| Fault::from(Error::from(code)).to_string();
        let check = |code, ends: &str| assert!(told(code).ends_with(ends), "{}", told(code));
        check(rustix::io::Errno::NOSPC, ": free some space there");
        check(rustix::io::Errno::ROFS, ": it must be writable");
        check(rustix::io::Errno::MFILE, ": raise `ulimit -n`");
        check(rustix::io::Errno::ACCESS, "(os error 13)");
    }
}
