//! A started program: all of its processes, its output, and its certain end.

#[cfg(not(unix))]
#[path = "process_elsewhere.rs"]
mod system;
#[cfg(unix)]
#[path = "process_unix.rs"]
mod system;

pub(crate) use system::Process;

/// What a program finds on its standard input.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders {
    /// These bytes …
    pub(crate) input: Vec<u8>,
    /// … and then an end, or an open pipe on which nothing more comes.
    pub(crate) then_end: bool,
}
