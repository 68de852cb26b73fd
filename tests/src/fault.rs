//! The harness's own errors. They cost no student a point, and never become a verdict.

use std::fmt;

/// An error of the harness or of the machine. It costs no point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        match error.raw_os_error() {
            #[cfg(unix)]
            Some(code) if code == rustix::io::Errno::MFILE.raw_os_error() => {
                Self(format!("{error}: raise `ulimit -n`"))
            }
            _ => Self(error.to_string()),
        }
    }
}
