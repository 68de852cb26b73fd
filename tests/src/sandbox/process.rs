//! A started program: its processes, its output and how it is ended.

#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use elsewhere::Process;
#[cfg(unix)]
pub(crate) use unix::Process;
