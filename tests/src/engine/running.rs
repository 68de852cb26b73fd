//! One launch of a program: it is watched, and it certainly ends.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::context::Context;
use crate::engine::ended::Ended;
use crate::engine::kept::Outputs;
use crate::engine::machine;
pub(crate) use crate::engine::not_listening::{NeverListened, NotListening};
use crate::engine::place::{Prepared, WorkingFolder};
use crate::engine::port::Tenancy;
use crate::engine::probe::Probe;
use crate::engine::sight;
use crate::engine::subject::Subject;
use crate::engine::verdict::{Bar, Failure, Stop};
use crate::engine::wait::{self, Deadline, GaveUp, Timeout, Wait, wait_for};
use crate::fault::Fault;
use crate::observe::{ProcessTree, SHOWS_LISTENERS};
use crate::sandbox::{JailedCommand, NotStarted, Process, Stdin};

/// How long a server may listen elsewhere before it is taken to stay there.
const ELSEWHERE: Duration = Duration::from_secs(1);

/// How long only a server's first process is looked at: nearly every server listens in it.
const FIRST_PROCESS_ALONE: Duration = Duration::from_millis(20);

/// How a program is started.
#[derive(Debug, Clone, Default)]
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
#[derive(Debug, Clone, Default)]
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
    /// How it ended is known, or of no interest.
    end_is_kept: bool,
    /// Its right to its address, given back when it has ended.
    pub(crate) tenancy: Option<Tenancy>,
    /// The right of its client to this address, given back at the same time.
    pub(crate) of_client: Option<Tenancy>,
}

impl Running {
    /// Starts a program.
    pub(crate) fn start(
        subject: &Subject,
        context: &Arc<Context>,
        launch: Launch,
    ) -> Result<Self, Stop> {
        let place = &context.place;
        let (reach, services) = (subject.reach(), launch.world.services);
        let command = subject.command().fill(&launch.host, &launch.port, &launch.arguments);
        let prepared = place.prepare(subject.folder(), reach, command).map_err(Fault::from)?;
        let Prepared { folder, words: command, copies } = prepared;
        let jail =
            place.confinement().jail(place.network(), reach, services).map_err(Fault::from)?;
        let jailed = JailedCommand { command, stdin: launch.stdin, jail };
        let process = Process::start(place.launcher(), folder.path(), &jailed)
            .map_err(|not| not_started(subject.name(), not))?;
        let outputs = Outputs { stdout: process.stdout.clone(), stderr: process.stderr.clone() };
        context.kept.add_launch(subject.name(), outputs, copies);
        context.activity.add_program(subject.name(), process.tree());
        let should_live = launch.ready != Ready::AtOnce;
        let context = context.clone();
        Ok(Self {
            process,
            _folder: folder,
            context,
            should_live,
            end_is_kept: false,
            tenancy: None,
            of_client: None,
        })
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
        deadline: Deadline,
        mut probe: Probe,
    ) -> Result<Result<SocketAddr, NotListening>, Stop> {
        let (tree, context, outputs) = (self.tree(), self.context.clone(), self.outputs());
        let began = Instant::now();
        let (mut elsewhere_for, mut is_shown) = (Duration::ZERO, SHOWS_LISTENERS);
        let found = self.wait(deadline, |slice| {
            let early = began.elapsed() < FIRST_PROCESS_ALONE;
            let seen = if early { tree.first_process_listening() } else { tree.listening() };
            is_shown = seen.is_some();
            let Some(addresses) = seen else {
                return probe.finds(context.place.network(), expected).then_some(Ok(expected));
            };
            if let Some(address) = addresses.iter().find(|address| covers(**address, expected)) {
                return Some(Ok(*address));
            }
            elsewhere_for += slice;
            let elsewhere = addresses.first().filter(|_| elsewhere_for > ELSEWHERE).copied();
            elsewhere.map(Ok).or_else(|| outputs.are_a_flood().then_some(Err(NotListening::Floods)))
        })?;
        if !is_shown && !matches!(found, Ok(Event::Exit(_) | Event::Over(_))) {
            sight::see_if_shown(&context, tree, ProcessTree::listening)?;
        }
        Ok(match found {
            Ok(Event::Exit(status)) => {
                Err(NotListening::Ended { status, may_have_listened: false, is_shown })
            }
            Ok(Event::Over(limit)) => Err(NotListening::Over(limit)),
            Ok(Event::Seen(Ok(address))) => Ok(reachable(address, expected)),
            Ok(Event::Seen(Err(floods))) => Err(floods),
            Err(timeout) => match tree.listening().as_deref() {
                Some([elsewhere, ..]) => Ok(reachable(*elsewhere, expected)),
                Some([]) => Err(NotListening::Waits(timeout)),
                None => Err(NotListening::Unseen(timeout)),
            },
        })
    }

    /// Waits until a server that listens rests, or for a moment. Returns how it ended, if it did:
    /// a server whose next step fails at once has listened for a moment only.
    pub(crate) fn ended_at_once(&mut self) -> Result<Option<ExitStatus>, Stop> {
        match self.wait(wait::COMING_TO_REST, |_| None::<()>)? {
            Ok(Event::Exit(status)) => Ok(Some(status)),
            Ok(Event::Over(_) | Event::Seen(())) | Err(_) => Ok(None),
        }
    }

    /// Waits until the program has ended, or until `look` returns what it looks for.
    fn wait<T>(
        &mut self,
        deadline: Deadline,
        look: impl FnMut(Duration) -> Option<T>,
    ) -> Result<Result<Event<T>, Timeout>, Stop> {
        let context = self.context.clone();
        self.wait_as(Wait::new(&context, deadline, wait::STUCK), look)
    }

    fn wait_as<T>(
        &mut self,
        wait: Wait<'_>,
        mut look: impl FnMut(Duration) -> Option<T>,
    ) -> Result<Result<Event<T>, Timeout>, Stop> {
        let waited = wait_for(wait, |slice| match self.has_ended(slice) {
            Ok(Some(status)) => Some(Ok(self.end_of(status))),
            Ok(None) => look(slice).map(|thing| Ok(Event::Seen(thing))),
            Err(error) => Some(Err(Fault::from(error))),
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

    /// Tells an end by itself from one for a limit.
    fn end_of<T>(&self, status: ExitStatus) -> Event<T> {
        self.over().map_or(Event::Exit(status), Event::Over)
    }

    /// Returns the limit for which the harness has ended it, in a sentence.
    pub(crate) fn over(&self) -> Option<String> {
        self.process.over()
    }

    /// Returns how its first process ended, if it did.
    pub(crate) fn exited(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        self.process.exited(within)
    }

    /// Keeps which limit it has passed, if it has passed one, and what it was refused.
    fn keep_over(&self) {
        self.context.kept.add_refused(self.process.refused());
        if let Some(limit) = self.over() {
            self.context.kept.set_over(limit);
        }
    }

    /// Waits for its end, and ends all of its processes.
    pub(crate) fn until_ended(mut self, deadline: Deadline) -> Result<Ended, Stop> {
        let exit = self.until_exit(deadline)?;
        let listening = exit.is_err().then(|| self.tree().listening()).flatten();
        self.end()?;
        let (exit, snapshot) = match exit {
            Ok(status) => (Ok(status), None),
            Err(timeout) => (Err(timeout.why), timeout.snapshot),
        };
        let listening = listening.unwrap_or_default();
        Ok(Ended { exit, snapshot, over: self.over(), outputs: self.outputs(), listening })
    }

    fn until_exit(&mut self, deadline: Deadline) -> Result<Result<ExitStatus, Timeout>, Stop> {
        let waited = self.wait(deadline, |_| None)?;
        Ok(waited.and_then(|event| match event {
            Event::Exit(status) | Event::Seen(status) => Ok(status),
            Event::Over(_) => Err(Timeout { why: GaveUp::OverLimit, snapshot: None }),
        }))
    }

    /// Ends all of its processes. What the program does from here on is no evidence.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.end_is_kept = true;
        self.context.activity.remove_program(self.tree());
        self.process.end()?;
        self.keep_over();
        self.tenancy = None;
        self.of_client = None;
        Ok(())
    }

    /// Keeps how it has ended, and then ends it.
    pub(crate) fn conclude(&mut self, failure: Option<&Failure>) {
        self.keep_end(failure);
        self.context.activity.end_what_was_left();
        _ = self.end();
        if self.process.is_lost() {
            self.context.kept.set_lost();
        }
    }

    /// Keeps how it has ended, where it should have gone on. A program that a wait for it had seen
    /// waiting was alive then: what it does when the harness leaves is no evidence.
    pub(crate) fn keep_end(&mut self, failure: Option<&Failure>) {
        let was_seen_alive = failure.is_some_and(|failure| failure.snapshot.is_some());
        if self.end_is_kept || was_seen_alive {
            return;
        }
        self.end_is_kept = true;
        let ended = match failure.is_some_and(|failure| failure.may_be_dying) {
            true => self.is_dying(),
            false => self.has_ended(Duration::ZERO).ok().flatten(),
        };
        let evidence = ended.filter(|_| self.should_live);
        evidence.into_iter().for_each(|status| self.context.kept.set_exit(status));
    }

    /// Waits for the end of a program that may be dying. Connections that are still open stay so:
    /// a death that the harness causes by leaving is no evidence.
    fn is_dying(&mut self) -> Option<ExitStatus> {
        let context = self.context.clone();
        let wait = Wait::that_leaves_all_as_it_is(&context, wait::DYING, wait::STALLED);
        match self.wait_as(wait, |_| None::<()>) {
            Ok(Ok(Event::Exit(status))) => Some(status),
            _ => None,
        }
    }
}

/// Says why a program could not be started. A file that the system does not execute is the
/// student's mistake; another reason is often a limit of the machine.
fn not_started(name: &str, not: NotStarted) -> Stop {
    let error = match not {
        NotStarted::Unusable(why) => return unusable(name, &why).into(),
        NotStarted::Fault(error) => error,
    };
    let why = match machine::has_room_for_tasks(0) {
        Ok(()) => error.to_string(),
        Err(limit) => format!("{error}; {}", limit.0),
    };
    Fault(format!("{name} could not be started: {why}")).into()
}

/// Returns the only failure that a program can show which the system does not execute.
fn unusable(name: &str, why: &str) -> Failure {
    let failure = Failure::new(
        "a program that can be started",
        format!("the system does not start it: {why}"),
    );
    let bar = Bar { program: name.to_owned(), from_the_start: true, unwritten: None };
    Failure { bar: Some(Box::new(bar)), ..failure }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.end();
    }
}

/// What ended a wait for a program.
enum Event<T> {
    Exit(ExitStatus),
    /// The harness ended it for this limit.
    Over(String),
    Seen(T),
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
