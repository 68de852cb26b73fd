//! A client under test.

use std::fmt::Debug;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use crate::engine::ended::Ended;
use crate::engine::running::Running;
use crate::engine::starts::Scout;
use crate::engine::verdict::Stop;
use crate::engine::wait::{self, Deadline};
use crate::fault::Fault;
use crate::observe::ProcessTree;

/// A client that was started. Dropping it leaves the program running until the next launch, or
/// until the check is over: it may still have to say why it ends.
#[derive(Debug)]
pub(crate) struct Client {
    /// `None` once its end was waited for.
    running: Option<Running>,
    tree: ProcessTree,
    program: Box<dyn Origin>,
    /// It is the first client: whether it connects is of interest to the others.
    scout: Option<Scout>,
    is_connected: bool,
}

/// The program of which a client is a launch.
pub(crate) trait Origin: Debug + Send {
    /// Leaves a launch running until the next one, or until the check is over.
    fn leave(&self, running: Running);

    /// Finds out whether a client that has ended without connecting does so at every start.
    fn scout_client(&self, scout: Scout) -> Result<(), Stop>;

    /// Finds out whether the client connects at all, if that is not known.
    fn scout_client_once(&self) -> Result<(), Stop>;

    /// Holds unless the program ended here as it ends at every start.
    fn ended_otherwise(&self, ended: &Ended) -> Result<(), Stop>;
}

impl Client {
    pub(crate) fn new(
        running: Running,
        program: impl Origin + 'static,
        scout: Option<Scout>,
    ) -> Self {
        let tree = running.tree();
        Self {
            running: Some(running),
            tree,
            program: Box::new(program),
            scout,
            is_connected: false,
        }
    }

    /// Waits for its end. The end of a client that never connects, whatever it is told, tells
    /// nothing about a check.
    pub(crate) fn until_ended(self) -> Result<Ended, Stop> {
        self.until_ended_within(wait::ENDING)
    }

    fn until_ended_within(mut self, deadline: Deadline) -> Result<Ended, Stop> {
        let Some(running) = self.running.take() else { return Err(ended_before().into()) };
        let ended = running.until_ended(deadline)?;
        if !self.is_connected && ended.exit.is_ok() {
            self.program.scout_client_once()?;
            self.program.ended_otherwise(&ended)?;
        }
        Ok(ended)
    }

    /// Returns how it ended, for a client whose time to end is over, and ends it if it has not.
    pub(crate) fn until_ended_by_now(self) -> Result<Ended, Stop> {
        self.until_ended_within(wait::DYING)
    }

    /// Returns how it ended, if it did; waits for that for at most `within`.
    pub(crate) fn exited(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        match self.running.as_mut() {
            Some(running) => running.exited(within),
            None => Err(io::Error::other(ended_before())),
        }
    }

    /// Keeps that the client connects.
    pub(crate) fn has_connected(&mut self) {
        self.is_connected = true;
        self.scout.take().into_iter().for_each(Scout::gets_so_far);
    }

    /// Finds out more about a client that has ended without connecting, if it is the first.
    pub(crate) fn does_not_connect(&mut self) -> Result<(), Stop> {
        match self.scout.take() {
            Some(scout) => self.program.scout_client(scout),
            None => Ok(()),
        }
    }

    /// The kernel's view of it.
    pub(crate) fn tree(&self) -> ProcessTree {
        self.tree
    }
}

fn ended_before() -> Fault {
    Fault("a client whose end was waited for before".to_owned())
}

impl Drop for Client {
    fn drop(&mut self) {
        self.running.take().into_iter().for_each(|running| self.program.leave(running));
    }
}
