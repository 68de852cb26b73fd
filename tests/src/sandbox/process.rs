//! A started program: all of its processes, its output, and its certain end.

#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use elsewhere::Process;
#[cfg(unix)]
pub(crate) use unix::Process;
