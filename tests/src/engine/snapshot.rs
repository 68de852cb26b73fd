//! Where the programs of a check were when a wait for one of them timed out.

use crate::observe::ProgramState;

/// A picture of the programs at one moment. It is evidence and changes no verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Where the programs were.
    pub blocked: Blocked,
    /// The end of what they had said on standard error by then. What they say when the harness
    /// leaves is no part of it.
    pub(crate) stderr_tail: Vec<u8>,
}

/// Where the programs were, as far as the system shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// The kernel's view of each program that lives.
    At(Vec<ProgramState>),
    /// The system does not show it; [`crate::CANNOT_SEE`] says why.
    CannotSee,
}
