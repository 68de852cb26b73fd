//! An end from outside: Ctrl-C, a closed terminal, a machine that shuts down.
//!
//! A signal ends all programs, removes the temporary folders and becomes one line and the status of
//! a fault. A file that is being written is written first. Once a result is there, nothing
//! interrupts its reports.

#[cfg(unix)]
mod end;

use std::sync::{RwLock, RwLockReadGuard};

/// Held while something is written. Who has it alone is about to end the process.
static WRITING: RwLock<()> = RwLock::new(());

/// Delays an end until the guard is dropped.
pub(crate) fn delayed() -> Option<RwLockReadGuard<'static, ()>> {
    WRITING.read().ok()
}

/// Lets nothing but a second signal end this process any more: its result is there.
pub(crate) fn no_longer() {
    std::mem::forget(delayed());
}

#[cfg(unix)]
pub(crate) use end::expect;

#[cfg(all(unix, feature = "full"))]
pub(crate) use end::at_the_end;
