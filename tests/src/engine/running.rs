//! One launch of a program: it is watched, and it certainly ends.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::context::Context;
use crate::engine::ended::Ended;
use crate::engine::kept::{Outputs, describe};
use crate::engine::network::Network;
use crate::engine::place::WorkingFolder;
use crate::engine::port::Tenancy;
use crate::engine::snapshot::Snapshot;
use crate::engine::subject::Subject;
use crate::engine::verdict::{Failure, Stop};
use crate::engine::wait::{self, Deadline, GaveUp, Timeout, Wait, wait_for};
use crate::fault::Fault;
use crate::observe::ProcessTree;
use crate::sandbox::{JailedCommand, Process, Stdin};

/// How long a server may listen elsewhere before it is taken to stay there.
const ELSEWHERE: Duration = Duration::from_secs(1);

/// How long only a server's first process is looked at: nearly every server listens in it.
const FIRST_PROCESS_ALONE: Duration = Duration::from_millis(20);

/// How a program is started.
#[derive(Debug, Default)]
pub(crate) struct Launch {
    /// What stands for `{host}` and `{port}` on its command line.
    pub(crate) host: String,
    pub(crate) port: String,
    /// What stands for `{message}`, or follows at the end.
    pub(crate) arguments: Vec<OsString>,
    pub(crate) stdin: Stdin,
    pub(crate) world: World,
    pub(crate) ready: Ready,
}

/// What a program finds outside of itself.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// The TCP ports of the harness's services that it may connect to.
    pub(crate) services: Vec<u16>,
}

/// How it is seen that a program is ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Ready {
    /// As soon as it is started.
    #[default]
    AtOnce,
    /// When a stream socket of it listens on this address, or stays on another one.
    Listens(SocketAddr),
}

/// One launch of a program.
#[derive(Debug)]
pub(crate) struct Running {
    process: Process,
    _folder: WorkingFolder,
    context: Arc<Context>,
    /// Whether it should go on until the harness ends it. If it ends by itself, that is evidence.
    should_live: bool,
    /// Its right to its address, given back when it has ended.
    pub(crate) tenancy: Option<Tenancy>,
}

impl Running {
    /// Starts a program.
    pub(crate) fn start(
        subject: &Subject,
        context: &Arc<Context>,
        launch: Launch,
    ) -> Result<Self, Stop> {
        let place = &context.place;
        let folder = place.folder(subject.folder()).map_err(Fault::from)?;
        let command = subject.command().fill(&launch.host, &launch.port, &launch.arguments);
        let (reach, services) = (subject.reach(), launch.world.services);
        let jail = place.confinement().jail(place.network(), reach, services);
        let jailed = JailedCommand { command, stdin: launch.stdin, jail };
        let process = Process::start(place.launcher(), folder.path(), &jailed)
            .map_err(|error| Fault(format!("{} could not be started: {error}", subject.name())))?;
        let outputs = Outputs { stdout: process.stdout.clone(), stderr: process.stderr.clone() };
        context.kept.add_outputs(outputs);
        context.activity.add_program(subject.name(), process.tree());
        let should_live = launch.ready != Ready::AtOnce;
        let context = context.clone();
        Ok(Self { process, _folder: folder, context, should_live, tenancy: None })
    }

    /// The kernel's view of it.
    pub(crate) fn tree(&self) -> ProcessTree {
        self.process.tree()
    }

    pub(crate) fn outputs(&self) -> Outputs {
        Outputs { stdout: self.process.stdout.clone(), stderr: self.process.stderr.clone() }
    }

    /// Waits until it listens, at `expected` or elsewhere. Where the kernel does not say who
    /// listens, an address that is taken is the server's.
    pub(crate) fn until_listening(
        &mut self,
        expected: SocketAddr,
    ) -> Result<Result<SocketAddr, NotListening>, Stop> {
        let (tree, context) = (self.tree(), self.context.clone());
        let began = Instant::now();
        let mut elsewhere_for = Duration::ZERO;
        let found = self.wait(wait::STARTING, |slice| {
            let early = began.elapsed() < FIRST_PROCESS_ALONE;
            let seen = if early { tree.first_process_listening() } else { tree.listening() };
            let Some(addresses) = seen else {
                return is_taken(context.place.network(), expected).then_some(expected);
            };
            if let Some(address) = addresses.iter().find(|address| covers(**address, expected)) {
                return Some(*address);
            }
            elsewhere_for += slice;
            addresses.first().filter(|_| elsewhere_for > ELSEWHERE).copied()
        })?;
        Ok(match found {
            Ok(Event::Exit(status)) => Err(NotListening::Ended(status)),
            Ok(Event::Seen(address)) => Ok(reachable(address, expected)),
            Err(timeout) => match tree.listening().unwrap_or_default().first() {
                Some(elsewhere) => Ok(reachable(*elsewhere, expected)),
                None => Err(NotListening::Waits(timeout)),
            },
        })
    }

    /// Waits until the program has ended, or until `look` returns what it looks for.
    fn wait<T>(
        &mut self,
        deadline: Deadline,
        mut look: impl FnMut(Duration) -> Option<T>,
    ) -> Result<Result<Event<T>, Timeout>, Stop> {
        let context = self.context.clone();
        let waited = wait_for(Wait::new(&context, deadline, wait::STUCK), |slice| {
            match self.has_ended(slice) {
                Ok(Some(status)) => Some(Ok(Event::Exit(status))),
                Ok(None) => look(slice).map(|thing| Ok(Event::Seen(thing))),
                Err(error) => Some(Err(Fault::from(error))),
            }
        });
        match waited {
            Ok(Ok(event)) => Ok(Ok(event)),
            Ok(Err(fault)) => Err(fault.into()),
            Err(timeout) => Ok(Err(timeout)),
        }
    }

    /// Returns how it ended, if it did. A client ends with its first process, a server with its
    /// last.
    pub(crate) fn has_ended(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        let ended = match self.should_live {
            true => self.process.ended(within),
            false => self.process.exited(within),
        };
        self.keep_over();
        ended
    }

    /// Returns how its first process ended, if it did.
    pub(crate) fn exited(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        self.process.exited(within)
    }

    /// Keeps which limit it has passed, if it has passed one.
    fn keep_over(&self) {
        if let Some(limit) = self.process.over() {
            self.context.kept.set_over(limit);
        }
    }

    /// Waits for its end, and ends all of its processes.
    pub(crate) fn until_ended(mut self, deadline: Deadline) -> Result<Ended, Stop> {
        let exit = self.until_exit(deadline)?;
        self.end()?;
        let (exit, snapshot) = match exit {
            Ok(status) => (Ok(status), None),
            Err(timeout) => (Err(timeout.why), timeout.snapshot),
        };
        Ok(Ended { exit, snapshot, outputs: self.outputs() })
    }

    fn until_exit(&mut self, deadline: Deadline) -> Result<Result<ExitStatus, Timeout>, Stop> {
        let waited = self.wait(deadline, |_| None)?;
        Ok(waited.map(|(Event::Exit(status) | Event::Seen(status))| status))
    }

    /// Ends all of its processes. What the program does from here on is no evidence.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.should_live = false;
        self.context.activity.remove_program(self.tree());
        self.process.end()?;
        self.keep_over();
        self.tenancy = None;
        Ok(())
    }

    /// Ends it once its check is over, and keeps how it had ended where that is evidence. A program
    /// that a wait for it had seen waiting was alive then: what it does when the harness leaves is
    /// no evidence.
    pub(crate) fn conclude(&mut self, failure: Option<&Failure>) {
        let was_seen_alive = failure.is_some_and(|failure| failure.snapshot.is_some());
        if self.should_live && !was_seen_alive {
            let ended = match failure.is_some_and(|failure| failure.may_be_dying) {
                true => self.until_exit(wait::DYING).ok().and_then(Result::ok),
                false => self.has_ended(Duration::ZERO).ok().flatten(),
            };
            ended.into_iter().for_each(|status| self.context.kept.set_exit(status));
        }
        _ = self.end();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.end();
    }
}

/// What ended a wait for a program.
enum Event<T> {
    Exit(ExitStatus),
    Seen(T),
}

/// Why a server does not listen.
#[derive(Debug)]
pub(crate) enum NotListening {
    /// It ended by itself: that may be because another process took its port.
    Ended(ExitStatus),
    Waits(Timeout),
}

/// A fact: the program never listened. The exit status is there if it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NeverListened(pub(crate) Option<ExitStatus>);

impl NotListening {
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        match self {
            Self::Ended(status) => Some(*status),
            Self::Waits(_) => None,
        }
    }

    pub(crate) fn failure(self, expected: SocketAddr) -> Failure {
        let (observed, snapshot): (String, Option<Arc<Snapshot>>) = match self {
            Self::Ended(status) => {
                let status = describe(status);
                (format!("your server stopped ({status}) before it was listening"), None)
            }
            Self::Waits(timeout) => (no_listening_socket(timeout.why), timeout.snapshot),
        };
        Failure::new(format!("a server that listens on {expected}"), observed).at(snapshot)
    }
}

fn no_listening_socket(why: GaveUp) -> String {
    match why {
        GaveUp::Stuck => {
            "no listening socket: your server is waiting for something that will never come"
                .to_owned()
        }
        GaveUp::Waited(time) => format!("no listening socket within {:.1} s", time.as_secs_f64()),
        GaveUp::Worked(time) => {
            format!("no listening socket in {:.1} s of processor time", time.as_secs_f64())
        }
    }
}

/// Returns whether an address is taken, by binding it. A server does not notice that once it
/// listens.
pub(crate) fn is_taken(network: &Network, address: SocketAddr) -> bool {
    network.listen(address).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// Returns whether a connection to `wanted` reaches a socket that listens on `listening`.
fn covers(listening: SocketAddr, wanted: SocketAddr) -> bool {
    listening.port() == wanted.port()
        && (listening.ip() == wanted.ip() || listening.ip().is_unspecified())
}

/// Returns where to connect to reach a socket that listens on `listening`.
fn reachable(listening: SocketAddr, wanted: SocketAddr) -> SocketAddr {
    match listening.ip() {
        ip if ip.is_unspecified() => SocketAddr::new(wanted.ip(), listening.port()),
        ip => SocketAddr::new(ip, listening.port()),
    }
}
