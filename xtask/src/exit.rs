//! The exit statuses of every command.

/// The pass mark is reached.
pub(crate) const PASSED: u8 = 0;
/// The pass mark is not reached, or the grader found itself wrong.
pub(crate) const NOT_PASSED: u8 = 1;
/// Nothing could be graded.
pub(crate) const NOTHING_GRADED: u8 = 2;
/// The grader itself failed.
pub(crate) const FAULT: u8 = 3;
