//! A client under test.

use std::process::ExitStatus;
use std::time::Duration;

use crate::engine::ended::Ended;
use crate::engine::running::Running;
use crate::engine::verdict::Stop;
use crate::engine::wait;
use crate::fault::Fault;
use crate::observe::ProcessTree;

/// A client that was started.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) running: Running,
}

impl Client {
    /// Waits for its end.
    pub(crate) fn until_ended(self) -> Result<Ended, Stop> {
        self.running.until_ended(wait::ENDING)
    }

    /// Returns how it ended, if it did; waits for that for at most `within`.
    pub(crate) fn exited(&mut self, within: Duration) -> Result<Option<ExitStatus>, Fault> {
        Ok(self.running.exited(within)?)
    }

    /// The kernel's view of it.
    pub(crate) fn tree(&self) -> ProcessTree {
        self.running.tree()
    }
}
