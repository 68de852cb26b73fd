//! A server under test that listens.

use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::engine::context::Context;
use crate::engine::kept::{ENDED_FOR, Outputs, describe};
use crate::engine::opening::Opening;
use crate::engine::port::Tenancy;
use crate::engine::probe::Probe;
use crate::engine::program::Program;
use crate::engine::running::Running;
use crate::engine::sight;
use crate::engine::verdict::{Failure, Stop};
use crate::engine::wait;
use crate::fault::Fault;
use crate::observe::ProcessTree;
use crate::sandbox::Output;

/// A server that listens. Dropping it leaves the program running until the next launch, or until
/// the check is over.
#[derive(Debug)]
pub(crate) struct Server {
    program: Program,
    running: Arc<Mutex<Running>>,
    tree: ProcessTree,
    outputs: Outputs,
    /// Where it was told to listen.
    pub(crate) told: SocketAddr,
    /// Where it can be reached.
    pub(crate) address: SocketAddr,
    /// Whether a client has connected to it.
    was_reached: AtomicBool,
}

/// A fact: the server did not listen again at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotRestarted {
    /// Whether its listening socket had SO_REUSEADDR set, where that can be seen (socket(7)).
    pub(crate) reuses_address: Option<bool>,
}

impl Server {
    pub(crate) fn new(
        program: Program,
        running: Arc<Mutex<Running>>,
        told: SocketAddr,
        address: SocketAddr,
    ) -> Self {
        let (tree, outputs) = {
            let running = running.lock().unwrap_or_else(PoisonError::into_inner);
            (running.tree(), running.outputs())
        };
        let was_reached = AtomicBool::new(false);
        Self { program, running, tree, outputs, told, address, was_reached }
    }

    /// Keeps that it listens.
    pub(crate) fn note_connected(&self) {
        self.was_reached.store(true, Ordering::Relaxed);
    }

    /// Returns whether it may not listen yet: no client has connected, and the system does not show
    /// its listening sockets.
    pub(crate) fn may_listen_soon(&self) -> bool {
        !self.was_reached.load(Ordering::Relaxed) && self.tree.listening().is_none()
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.program.context
    }

    /// The kernel's view of it.
    pub(crate) fn tree(&self) -> ProcessTree {
        self.tree
    }

    /// Returns what a look at it shows. Ends the check where this system shows nothing.
    pub(crate) fn see<T>(&self, look: impl Fn(&ProcessTree) -> Option<T>) -> Result<T, Stop> {
        sight::see(self.context(), self.tree, look)
    }

    /// What it is known to send before its client says anything.
    pub(crate) fn opening(&self) -> Opening {
        self.program.subject.opening().get().copied().unwrap_or_default()
    }

    /// What it has printed on standard error.
    pub(crate) fn stderr(&self) -> &Output {
        &self.outputs.stderr
    }

    /// Returns how it ended, if it did.
    pub(crate) fn ended(&self) -> Result<Option<ExitStatus>, Stop> {
        Ok(self.lock().has_ended(Duration::ZERO).map_err(Fault::from)?)
    }

    /// Holds as long as one of its processes lives.
    pub(crate) fn lives_on(&self) -> Result<(), Stop> {
        let mut running = self.lock();
        let Some(status) = running.has_ended(Duration::ZERO).map_err(Fault::from)? else {
            return Ok(());
        };
        let observed = match running.over() {
            Some(limit) => format!("your server was {ENDED_FOR}{limit}"),
            None => format!("your server stopped ({})", describe(status)),
        };
        Err(Failure::new("your server to keep running", observed).into())
    }

    /// Keeps a client's right to the server's address until the server is gone.
    pub(crate) fn keep(&self, of_client: Tenancy) {
        self.lock().of_client = Some(of_client);
    }

    /// Ends it; what it printed is complete then.
    pub(crate) fn end(self) {
        self.lock().conclude(None);
    }

    /// Kills all of its processes and starts it again at once at the same address.
    pub(crate) fn restart(self) -> Result<Self, Stop> {
        let reuses_address = self.tree.reuses_address();
        let spent = self.tree.total_cpu_time().unwrap_or(Duration::MAX / 8);
        let (deadline, again) = (wait::STARTING.of_another_start(spent), Probe::of_launch(1));
        let tenancy = self.lock().tenancy.take();
        self.lock().end()?;
        let Some(mut tenancy) = tenancy else {
            return Err(Fault("a server without a right to its address".to_owned()).into());
        };
        match self.program.launch_at(self.told, self.address, &mut tenancy, deadline, again)? {
            Ok((mut running, address)) if address != self.address => {
                running.conclude(None);
                self.program.is_left_alone(self.address)?;
                let expected = format!("a server that listens on {}", self.address);
                let observed = format!("one that listens on {address} instead");
                Err(Failure::new(expected, observed).with(NotRestarted { reuses_address }).into())
            }
            Ok((running, address)) => Ok(self.program.serve(running, tenancy, self.told, address)),
            Err(not_listening) => {
                self.program.is_left_alone(self.address)?;
                let fact = NotRestarted { reuses_address };
                Err(not_listening.failure(self.address).with(fact).into())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
