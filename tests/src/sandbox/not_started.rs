//! Why a program does not run: because of the file that it is, or because of the machine.

use std::io;
use std::path::Path;

#[cfg(target_os = "linux")]
use rustix::fs::StatVfsMountFlags;

/// Why a program does not run.
#[derive(Debug)]
pub(crate) enum NotStarted {
    /// The system does not execute this file. The text says why.
    Unusable(String),
    /// The harness or the machine could not start it.
    Fault(io::Error),
}

impl NotStarted {
    /// Sorts an error of the call that executes a program. A file can bring about all of them but
    /// those of a machine that has no room left.
    pub(super) fn of_execution(executable: &Path, error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::PermissionDenied && !may_execute_in(executable) {
            let place = executable.display();
            return Self::Fault(io::Error::other(format!(
                "{error}: {place} is on a file system that is mounted noexec; move it, or set TMPDIR"
            )));
        }
        match error.raw_os_error() {
            Some(code) if !is_of_the_machine(code) && is_handed_in(executable) => {
                Self::Unusable(why(executable, &error))
            }
            _ => Self::Fault(error),
        }
    }
}

impl From<io::Error> for NotStarted {
    fn from(error: io::Error) -> Self {
        Self::Fault(error)
    }
}

impl From<NotStarted> for io::Error {
    fn from(not: NotStarted) -> Self {
        match not {
            NotStarted::Unusable(why) => Self::other(why),
            NotStarted::Fault(error) => error,
        }
    }
}

/// Returns whether the file system of a place lets programs be executed from it.
#[cfg(target_os = "linux")]
pub fn may_execute_in(place: &Path) -> bool {
    let without = |disk: rustix::fs::StatVfs| disk.f_flag.contains(StatVfsMountFlags::NOEXEC);
    !rustix::fs::statvfs(place).is_ok_and(without)
}

/// Returns whether the file system of a place lets programs be executed from it.
#[cfg(not(target_os = "linux"))]
pub fn may_execute_in(_place: &Path) -> bool {
    true
}

/// Where a system keeps its own programs. A course may lie elsewhere below `/usr`.
const OF_THE_SYSTEM: [&str; 9] = [
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/local/bin",
    "/bin",
    "/sbin",
    "/nix/store",
    "/gnu/store",
    "/opt",
];

/// Returns whether an executable exists and is not one that the system brings along.
fn is_handed_in(executable: &Path) -> bool {
    executable.is_file() && !OF_THE_SYSTEM.iter().any(|place| executable.starts_with(place))
}

#[cfg(unix)]
fn is_of_the_machine(code: i32) -> bool {
    use rustix::io::Errno;
    const ALL: [Errno; 6] =
        [Errno::NOMEM, Errno::AGAIN, Errno::MFILE, Errno::NFILE, Errno::TXTBSY, Errno::INTR];
    ALL.iter().any(|errno| errno.raw_os_error() == code)
}

/// On Windows a file that is no program has one error: ERROR_BAD_EXE_FORMAT.
#[cfg(not(unix))]
fn is_of_the_machine(code: i32) -> bool {
    const BAD_EXE_FORMAT: i32 = 193;
    code != BAD_EXE_FORMAT
}

fn why(executable: &Path, error: &io::Error) -> String {
    let of_its_interpreter = match begins_like_a_program(executable) {
        Some(false) => return "the file is no program of this system".to_owned(),
        Some(true) => error.kind() == io::ErrorKind::NotFound,
        None => false,
    };
    match of_its_interpreter {
        true => format!("the interpreter that the file names does not exist ({error})"),
        false => error.to_string(),
    }
}

/// Returns whether a file begins like a program or like a script; `None` where it cannot be read.
fn begins_like_a_program(executable: &Path) -> Option<bool> {
    use io::Read;
    let mut head = Vec::new();
    std::fs::File::open(executable).ok()?.take(4).read_to_end(&mut head).ok()?;
    Some(!cfg!(target_os = "linux") || head.starts_with(b"#!") || head == b"\x7fELF")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[track_caller]
    fn check(content: &[u8], errno: Errno, expected: Option<&str>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let not = NotStarted::of_execution(file.path(), errno.into());
        let said = match &not {
            NotStarted::Unusable(why) => Some(why.as_str()),
            NotStarted::Fault(_) => None,
        };
        assert_eq!(said.is_some(), expected.is_some(), "{not:?}");
        assert!(said.unwrap_or_default().contains(expected.unwrap_or_default()), "{not:?}");
    }

    #[test]
    fn what_a_file_can_bring_about_is_not_the_machines() {
        check(b"\x7fELF", Errno::NOENT, Some("interpreter"));
        check(b"#!/nowhere\n", Errno::NOENT, Some("interpreter"));
        check(b"\x7fELF", Errno::IO, Some("os error"));
        check(b"\x7fELF", Errno::LIBBAD, Some("os error"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_that_is_no_program_is_called_that() {
        check(b"no program", Errno::NOEXEC, Some("no program"));
        check(b"", Errno::ACCESS, Some("no program"));
    }

    #[test]
    fn a_machine_without_room_is_a_fault() {
        check(b"\x7fELF", Errno::NOMEM, None);
        check(b"\x7fELF", Errno::AGAIN, None);
    }

    #[test]
    fn an_executable_that_is_not_there_is_a_fault() {
        let not = NotStarted::of_execution(Path::new("/nowhere/x"), Errno::NOENT.into());
        assert!(matches!(not, NotStarted::Fault(_)));
        let python = NotStarted::of_execution(Path::new("/bin/sh"), Errno::ACCESS.into());
        assert!(matches!(python, NotStarted::Fault(_)));
    }
}
