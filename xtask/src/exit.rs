//! The exit statuses of every command.

use std::io::Error;

use suite::Fault;

/// The pass mark is reached.
pub(crate) const PASSED: u8 = 0;
/// The pass mark is not reached, or the grader found itself wrong.
pub(crate) const NOT_PASSED: u8 = 1;
/// Nothing could be graded.
pub(crate) const NOTHING_GRADED: u8 = 2;
/// The grader itself failed.
pub(crate) const FAULT: u8 = 3;

/// Makes a fault of an error that the machine causes: no descriptor, process, memory or disk is left.
pub(crate) fn with_machines_fault(error: anyhow::Error) -> anyhow::Error {
    if error.is::<Fault>() {
        return error;
    }
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<Error>());
    let Some(of_machine) = causes.filter_map(Fault::of_machine).last() else { return error };
    let mut words: Vec<String> = error.chain().map(ToString::to_string).collect();
    words.pop(); // the last cause is the machine's, which the fault tells with its way out
    words.push(of_machine.to_string());
    Fault(words.join(": ")).into()
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[track_caller]
    fn check(code: i32, is_fault: bool, ends: &str) {
        let error: anyhow::Result<()> = Err(Error::from_raw_os_error(code).into());
        let error = with_machines_fault(error.context("/a/file").unwrap_err());
        let line = format!("{error:#}");
        assert_eq!((error.is::<Fault>(), line.ends_with(ends)), (is_fault, true), "{line}");
        assert!(line.starts_with("/a/file: ") && line.matches("os error").count() == 1, "{line}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_a_fault_and_a_missing_file_is_none() {
        check(28, true, ": free some space there");
        check(30, true, ": it must be writable");
        check(2, false, "(os error 2)");
    }
}
