//! A started program: its processes, its output and how it is ended.

#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
mod living;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use elsewhere::Process;
#[cfg(unix)]
pub use living::end_all_programs;
#[cfg(unix)]
pub(crate) use unix::Process;
