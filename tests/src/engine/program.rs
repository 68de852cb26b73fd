//! A program run from outside: started, watched, and certainly ended.
//!
//! A [`Program`] is what a check is given; it can be launched any number of times, each time as a
//! fresh process in a folder of its own with nothing in it. [`Server`] and [`Client`] are running
//! ones: they end, with everything that they have started, when they are dropped. Nothing here
//! knows what the program should say.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::bench::Bench;
use crate::engine::evidence::Clue;
use crate::engine::network::Network;
use crate::engine::patience::{self, GaveUp, Limits, Patience, wait_for};
use crate::engine::port::{self, Home, Tenancy};
use crate::engine::verdict::{Failure, Stop};
use crate::fault::Fault;
use crate::observe::Tree;
use crate::sandbox::{Launch, Output, Process, Reach, Stdin};

/// The address of the checks.
pub(crate) const LOCALHOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// How often a launch is tried on another port when the first was taken by somebody else in the
/// meantime.
const LAUNCHES: usize = 3;

/// A server that listens, but not where it was told, may yet do so.
const ELSEWHERE: Duration = Duration::from_secs(1);

/// Nearly every server listens in its first process: for so long the others are not looked for.
const FIRST_PROCESS_ALONE: Duration = Duration::from_millis(20);

/// A command line with places for what changes from launch to launch: `{host}`, `{port}` and
/// `{message}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    words: Vec<OsString>,
}

impl CommandLine {
    /// The words, the executable first. Arguments of one launch, like a message, follow at the end
    /// where no `{message}` stands.
    pub fn new(words: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self { words: words.into_iter().map(Into::into).collect() }
    }

    /// Whether a place of this name, like `{port}`, occurs.
    pub fn has(&self, place: &str) -> bool {
        self.words.iter().any(|word| word.to_string_lossy().contains(place))
    }

    fn fill(&self, host: &str, port: &str, arguments: &[OsString]) -> Vec<OsString> {
        let mut filled: Vec<OsString> = Vec::new();
        for word in &self.words {
            match word.to_str() {
                Some("{message}") => filled.extend_from_slice(arguments),
                Some(text) if text.contains("{message}") && arguments.is_empty() => {}
                Some(text) => {
                    filled.push(text.replace("{host}", host).replace("{port}", port).into())
                }
                None => filled.push(word.clone()),
            }
        }
        if !self.has("{message}") {
            filled.extend_from_slice(arguments);
        }
        filled
    }
}

/// A program of the submission, ready to be run.
#[derive(Debug)]
pub struct Subject {
    name: String,
    command: CommandLine,
    folder: Option<PathBuf>,
    home: Home,
    reach: Reach,
}

impl Subject {
    /// `name` is the practical's name for it. `fixed` is the address of a program that takes none.
    /// Without a `folder` each launch gets an empty one.
    pub fn new(
        name: impl Into<String>,
        command: CommandLine,
        fixed: Option<SocketAddr>,
        folder: Option<PathBuf>,
    ) -> Self {
        Self { name: name.into(), command, folder, home: Home::new(fixed), reach: Reach::default() }
    }

    /// With what it may reach where it is confined.
    pub fn with_reach(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// The practical's name for it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A program as one check sees it.
#[derive(Debug, Clone)]
pub struct Program {
    subject: Arc<Subject>,
    pub(crate) bench: Arc<Bench>,
    /// What every launch has on its command line besides the address.
    arguments: Vec<OsString>,
}

impl Program {
    pub(crate) fn new(subject: Arc<Subject>, bench: Arc<Bench>) -> Self {
        Self { subject, bench, arguments: Vec::new() }
    }

    /// The same program, launched with these words after its address.
    pub(crate) fn with_arguments(&self, arguments: &[&str]) -> Self {
        Self { arguments: arguments.iter().map(Into::into).collect(), ..self.clone() }
    }

    /// An attempt that leaves no trace in the check's record; what it left in its own.
    pub(crate) fn try_aside<T>(
        &self,
        attempt: impl FnOnce(&Self) -> Result<T, Stop>,
    ) -> (Result<T, Stop>, Arc<Bench>) {
        match self.bench.aside() {
            Ok(bench) => {
                let aside = Self { bench: Arc::new(bench), ..self.clone() };
                (attempt(&aside), aside.bench)
            }
            Err(error) => (Err(Fault::from(error).into()), self.bench.clone()),
        }
    }

    /// The same program, to be run beside another one: in its network, and its record.
    pub(crate) fn beside(&self, other: &Self) -> Self {
        Self { bench: other.bench.clone(), ..self.clone() }
    }

    /// Starts it as a server on 127.0.0.1 and waits until it listens.
    pub(crate) fn launch(&self) -> Result<Server<'_>, Stop> {
        self.launch_on(LOCALHOST)
    }

    /// Starts it as a server on this host and waits until it listens, wherever that is.
    pub(crate) fn launch_on(&self, host: Ipv4Addr) -> Result<Server<'_>, Stop> {
        let mut tenancy = self.enter_home()?;
        if let Some(address) = self.subject.home.fixed().filter(|address| self.is_taken(*address)) {
            let why = format!(
                "something else listens on {address}, the address of {}: end it",
                self.subject.name
            );
            return Err(Fault(why).into());
        }
        let mut attempt = 1;
        loop {
            let told = match self.subject.home.declared() {
                Some(address) => address,
                None => SocketAddr::from((host, port::take().map_err(Fault::from)?)),
            };
            let expected = self.subject.home.fixed().unwrap_or(told);
            match self.launch_at(told, expected, &mut tenancy)? {
                Launched::Listens(running, address) => {
                    return Ok(Server { program: self, running: *running, told, address, tenancy });
                }
                // Between the choice of the port and the bind somebody else may have taken it.
                Launched::Nowhere(nowhere)
                    if attempt < LAUNCHES && (nowhere.ended.is_some() || self.is_taken(told)) =>
                {
                    attempt += 1
                }
                Launched::Nowhere(nowhere) => {
                    self.bench.clue(Clue::NeverListened(nowhere.ended));
                    return Err(nowhere.failure(expected).into());
                }
            }
        }
    }

    fn launch_at(
        &self,
        told: SocketAddr,
        expected: SocketAddr,
        tenancy: &mut Tenancy<'_>,
    ) -> Result<Launched, Stop> {
        let (host, port) = (told.ip().to_string(), told.port().to_string());
        let mut running = self.start(&host, &port, &[], Stdin::default(), Vec::new())?;
        running.should_live = true;
        let found = running.until_listening(expected)?;
        Ok(match found {
            Ok(address) => {
                if address.port() == told.port() {
                    tenancy.settle_as_told()
                } else {
                    tenancy.settle_at(address)
                }
                Launched::Listens(Box::new(running), address)
            }
            // Whoever launches it may try again. Where that is in vain, its tenancy ends as told.
            Err(nowhere) => Launched::Nowhere(nowhere),
        })
    }

    /// Starts it as a server with a port that is none, and waits for its end.
    pub(crate) fn launch_with_port(&self, port: &str) -> Result<Ended, Stop> {
        let _tenancy = self.known_home()?;
        self.start(&LOCALHOST.to_string(), port, &[], Stdin::default(), Vec::new())?
            .until_ended(patience::ENDING)
    }

    /// Starts it as a server where the harness listens already, and waits for its end. A program
    /// with an address of its own finds that one taken.
    pub(crate) fn launch_where_taken(&self) -> Result<(SocketAddr, Ended), Stop> {
        let _tenancy = self.known_home()?;
        let address = self.subject.home.fixed().unwrap_or(SocketAddr::from((LOCALHOST, 0)));
        let occupant = self.bench.network().listen(address).map_err(Fault::from)?;
        let address = occupant.local_addr().map_err(Fault::from)?;
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let ended = self
            .start(&host, &port, &[], Stdin::default(), Vec::new())?
            .until_ended(patience::ENDING)?;
        Ok((address, ended))
    }

    /// A turn at the program's address, once it is known whether it has one of its own.
    fn known_home(&self) -> Result<Tenancy<'_>, Stop> {
        if self.subject.home.is_unknown()
            && let Err(Stop::Fault(fault)) = self.launch()
        {
            return Err(fault.into());
        }
        self.bench.forget_stuck();
        self.enter_home()
    }

    /// Waits for its turn at the program's address; in a network of its own it is always its turn.
    fn enter_home(&self) -> Result<Tenancy<'_>, Stop> {
        Ok(self.subject.home.enter(self.bench.network().is_private()).map_err(Fault::from)?)
    }

    /// Somebody holds this address. With the program gone, or not listening, that is somebody else;
    /// where the kernel does not say who listens, it is the program.
    fn is_taken(&self, address: SocketAddr) -> bool {
        is_taken(self.bench.network(), address)
    }

    /// Whether it was said to have an address of its own.
    pub(crate) fn has_declared_address(&self) -> bool {
        self.subject.home.declared().is_some()
    }

    /// Whether its command line has a place for a port.
    pub(crate) fn takes_a_port(&self) -> bool {
        self.subject.command.has("{port}")
    }

    /// Starts it as a client of `server` with a message as its argument.
    pub(crate) fn send_to(&self, server: SocketAddr, message: &[u8]) -> Result<Client, Stop> {
        self.send_all_to(server, &[message])
    }

    /// The same with any number of arguments, and nothing on its standard input.
    pub(crate) fn send_all_to(
        &self,
        server: SocketAddr,
        arguments: &[&[u8]],
    ) -> Result<Client, Stop> {
        let arguments: Vec<OsString> =
            arguments.iter().copied().map(argument).collect::<Result<_, _>>()?;
        self.start_client(server, &arguments, Stdin::default())
    }

    /// Starts it as a client of `server` without a message; it finds one on its standard input.
    pub(crate) fn send_typed(
        &self,
        server: SocketAddr,
        typed: &[u8],
        then_end: bool,
    ) -> Result<Client, Stop> {
        self.start_client(server, &[], Stdin { bytes: typed.to_vec(), then_end })
    }

    fn start_client(
        &self,
        server: SocketAddr,
        arguments: &[OsString],
        stdin: Stdin,
    ) -> Result<Client, Stop> {
        let (host, port) = (server.ip().to_string(), server.port().to_string());
        Ok(Client { running: self.start(&host, &port, arguments, stdin, vec![server.port()])? })
    }

    /// `connects_to` are the ports that it has business with elsewhere than with its own peers.
    fn start(
        &self,
        host: &str,
        port: &str,
        arguments: &[OsString],
        stdin: Stdin,
        connects_to: Vec<u16>,
    ) -> Result<Running, Stop> {
        let folder = self.bench.folder(self.subject.folder.as_deref()).map_err(Fault::from)?;
        let command = self.subject.command.fill(host, port, &[&self.arguments, arguments].concat());
        let bench = &self.bench;
        let jail = bench.confinement().jail(bench.network(), &self.subject.reach, connects_to);
        let launch = Launch { command, stdin, jail };
        let process =
            Process::start(bench.launcher(), folder.path(), &launch).map_err(|error| {
                Fault(format!("{} could not be started: {error}", self.subject.name))
            })?;
        self.bench.keep_output(&self.subject.name, process.stderr.clone());
        self.bench.watch(&self.subject.name, process.tree());
        Ok(Running { process, _folder: folder, bench: self.bench.clone(), should_live: false })
    }
}

enum Launched {
    Listens(Box<Running>, SocketAddr),
    Nowhere(Nowhere),
}

/// A server that did not come to listen.
#[derive(Debug)]
struct Nowhere {
    observed: String,
    /// It ended by itself: that may be because it lost its port to somebody else.
    ended: Option<ExitStatus>,
}

impl Nowhere {
    fn ended(status: ExitStatus) -> Self {
        Self {
            observed: format!("the program ended with {} before it listened", describe(status)),
            ended: Some(status),
        }
    }

    fn waits(gave_up: GaveUp) -> Self {
        let observed = match gave_up {
            GaveUp::Stuck => {
                "no listening socket, and the program waits: nothing can wake it".to_owned()
            }
            GaveUp::Waited(time) => {
                format!("no listening socket within {:.1} s", time.as_secs_f64())
            }
            GaveUp::Worked(time) => {
                format!("no listening socket in {:.1} s of processor time", time.as_secs_f64())
            }
        };
        Self { observed, ended: None }
    }

    fn failure(self, expected: SocketAddr) -> Failure {
        Failure::new(format!("a server that listens on {expected}"), self.observed)
    }
}

/// The one place that asks by binding, which a server does not notice once it listens.
fn is_taken(network: &Network, address: SocketAddr) -> bool {
    network.listen(address).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

#[cfg(unix)]
fn argument(message: &[u8]) -> Result<OsString, Stop> {
    Ok(std::os::unix::ffi::OsStringExt::from_vec(message.to_vec()))
}

/// Elsewhere an argument is text.
#[cfg(not(unix))]
fn argument(message: &[u8]) -> Result<OsString, Stop> {
    let text = String::from_utf8(message.to_vec());
    text.map(OsString::from).map_err(|_| {
        Stop::Unseen("arguments that are not text do not exist on this system".to_owned())
    })
}

/// A folder to run in: one of its own, or the user's.
#[derive(Debug)]
pub(crate) enum Folder {
    Own(tempfile::TempDir),
    Users(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Users(folder) => folder,
        }
    }
}

/// One launch of a program.
#[derive(Debug)]
pub(crate) struct Running {
    process: Process,
    _folder: Folder,
    bench: Arc<Bench>,
    /// It should go on until it is ended: if it ends by itself, that is evidence.
    should_live: bool,
}

impl Running {
    pub(crate) fn tree(&self) -> Tree {
        self.process.tree()
    }

    /// Waits until it listens, at `expected` or elsewhere; otherwise says what it did instead.
    /// Where the kernel does not say who listens, the address is taken once the server has it.
    fn until_listening(
        &mut self,
        expected: SocketAddr,
    ) -> Result<Result<SocketAddr, Nowhere>, Stop> {
        let (tree, bench) = (self.tree(), Arc::clone(&self.bench));
        let began = Instant::now();
        let mut elsewhere_for = Duration::ZERO;
        let found = self.watch(patience::STARTING, |slice| {
            let early = began.elapsed() < FIRST_PROCESS_ALONE;
            let seen = if early { tree.first_process_listening() } else { tree.listening() };
            let Some(addresses) = seen else {
                return is_taken(bench.network(), expected).then_some(expected);
            };
            if let Some(address) = addresses.iter().find(|address| covers(**address, expected)) {
                return Some(*address);
            }
            elsewhere_for += slice;
            addresses.first().filter(|_| elsewhere_for > ELSEWHERE).copied()
        })?;
        Ok(match found {
            Ok(Seen::Exit(status)) => Err(Nowhere::ended(status)),
            Ok(Seen::Thing(address)) => Ok(reachable(address, expected)),
            Err(gave_up) => match tree.listening().unwrap_or_default().first() {
                Some(elsewhere) => Ok(reachable(*elsewhere, expected)),
                None => Err(Nowhere::waits(gave_up)),
            },
        })
    }

    /// Waits until the program has ended, or until `look` sees what it looks for.
    fn watch<T>(
        &mut self,
        limits: Limits,
        mut look: impl FnMut(Duration) -> Option<T>,
    ) -> Result<Result<Seen<T>, GaveUp>, Stop> {
        let bench = self.bench.clone();
        let mut fault = None;
        let seen = wait_for(Patience::new(&bench, limits, patience::STUCK), |slice| {
            match self.has_ended(slice) {
                Ok(Some(status)) => Some(Some(Seen::Exit(status))),
                Ok(None) => look(slice).map(|thing| Some(Seen::Thing(thing))),
                Err(error) => {
                    fault = Some(Fault::from(error));
                    Some(None)
                }
            }
        });
        match (seen, fault) {
            (_, Some(fault)) => Err(fault.into()),
            (Ok(Some(seen)), None) => Ok(Ok(seen)),
            (Ok(None), None) => Err(Fault("a wait ended without a reason".to_owned()).into()),
            (Err(gave_up), None) => Ok(Err(gave_up)),
        }
    }

    /// A client ends with its first process, a server with its last.
    fn has_ended(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        let ended =
            if self.should_live { self.process.ended(within) } else { self.process.exited(within) };
        self.keep_over();
        ended
    }

    /// Which limit it has passed, if it has.
    fn keep_over(&self) {
        if let Some(limit) = self.process.over() {
            self.bench.keep_over(limit);
        }
    }

    /// Waits for its end.
    fn until_ended(mut self, limits: Limits) -> Result<Ended, Stop> {
        let exit = self.wait_for_exit(limits)?;
        self.end()?;
        Ok(Ended { exit, stdout: self.process.stdout.clone(), stderr: self.process.stderr.clone() })
    }

    fn wait_for_exit(&mut self, limits: Limits) -> Result<Result<ExitStatus, GaveUp>, Stop> {
        Ok(match self.watch(limits, |_| None::<ExitStatus>)? {
            Ok(Seen::Exit(status) | Seen::Thing(status)) => Ok(status),
            Err(gave_up) => Err(gave_up),
        })
    }
}

impl Running {
    /// Ends all of its processes.
    fn end(&mut self) -> Result<(), Fault> {
        self.bench.unwatch(self.tree());
        self.process.end()?;
        self.keep_over();
        Ok(())
    }
}

impl Drop for Running {
    /// A program that ended by itself is evidence.
    fn drop(&mut self) {
        if self.should_live {
            self.keep_exit();
        }
        _ = self.end();
    }
}

impl Running {
    /// A program that was seen to wait was alive then; what it makes of the harness's leaving is no
    /// evidence.
    fn keep_exit(&mut self) {
        if self.bench.has_waited_in_vain() {
            return;
        }
        let ended = match self.bench.is_death_suspected() {
            true => self.wait_for_exit(patience::DYING).ok().and_then(Result::ok),
            false => self.has_ended(Duration::ZERO).ok().flatten(),
        };
        if let Some(status) = ended {
            self.bench.keep_exit(status);
        }
    }
}

/// What ended a wait for a program.
enum Seen<T> {
    Exit(ExitStatus),
    Thing(T),
}

/// An exit status in words: `exit status 101`, `signal 9 (SIGKILL)`.
pub(crate) fn describe(status: ExitStatus) -> String {
    status.to_string().replace("exit status: ", "exit status ").replace("signal: ", "signal ")
}

/// A connection to `wanted` reaches a socket that listens on `listening`.
fn covers(listening: SocketAddr, wanted: SocketAddr) -> bool {
    listening.port() == wanted.port()
        && (listening.ip() == wanted.ip() || listening.ip().is_unspecified())
}

/// Where to connect to reach a socket that listens on `listening`.
fn reachable(listening: SocketAddr, wanted: SocketAddr) -> SocketAddr {
    match listening.ip() {
        ip if ip.is_unspecified() => SocketAddr::new(wanted.ip(), listening.port()),
        ip => SocketAddr::new(ip, listening.port()),
    }
}

/// A server that listens.
#[derive(Debug)]
pub(crate) struct Server<'a> {
    program: &'a Program,
    running: Running,
    /// Where it was told to listen.
    pub(crate) told: SocketAddr,
    /// Where it can be reached.
    pub(crate) address: SocketAddr,
    tenancy: Tenancy<'a>,
}

impl Server<'_> {
    pub(crate) fn bench(&self) -> &Arc<Bench> {
        &self.running.bench
    }

    /// The kernel's view of it.
    pub(crate) fn tree(&self) -> Tree {
        self.running.tree()
    }

    /// What it has said on standard error.
    pub(crate) fn stderr(&self) -> &Output {
        &self.running.process.stderr
    }

    /// Holds as long as one of its processes lives.
    pub(crate) fn lives_on(&mut self) -> Result<(), Stop> {
        match self.running.has_ended(Duration::ZERO).map_err(Fault::from)? {
            None => Ok(()),
            Some(status) => Err(Failure::new("a server that lives on", describe(status)).into()),
        }
    }

    /// Kills all of its processes and starts it again at once at the same address.
    pub(crate) fn restart(mut self) -> Result<Self, Stop> {
        let reuses_address = self.tree().reuses_address();
        self.running.should_live = false;
        self.running.end()?;
        match self.program.launch_at(self.told, self.address, &mut self.tenancy)? {
            Launched::Listens(running, address) => Ok(Self { running: *running, address, ..self }),
            Launched::Nowhere(nowhere) => {
                self.program.bench.clue(Clue::NotRestarted { reuses_address });
                Err(nowhere.failure(self.address).into())
            }
        }
    }
}

/// A client that was started.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) running: Running,
}

impl Client {
    /// Waits for its end.
    pub(crate) fn until_ended(self) -> Result<Ended, Stop> {
        self.running.until_ended(patience::ENDING)
    }

    /// How it ended, if it did; waits for that for at most `within`.
    pub(crate) fn exited(&mut self, within: Duration) -> Result<Option<ExitStatus>, Stop> {
        Ok(self.running.process.exited(within).map_err(Fault::from)?)
    }

    pub(crate) fn tree(&self) -> Tree {
        self.running.tree()
    }
}

/// A program that was waited for. Its processes are gone, whether it ended by itself or not.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How it ended by itself, or why nobody waited any longer.
    pub(crate) exit: Result<ExitStatus, GaveUp>,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

impl Ended {
    /// What it did, for a failure.
    pub(crate) fn describe(&self) -> String {
        match self.exit {
            Ok(status) => describe(status),
            Err(GaveUp::Stuck) => "it does not end: it waits, and nothing can wake it".to_owned(),
            Err(GaveUp::Waited(time)) => {
                format!("it did not end within {:.1} s", time.as_secs_f64())
            }
            Err(GaveUp::Worked(time)) => {
                format!("it did not end in {:.1} s of processor time", time.as_secs_f64())
            }
        }
    }

    /// Whether it said how it wants to be used.
    pub(crate) fn says_usage(&self) -> bool {
        self.stderr
            .tail(usize::MAX)
            .to_ascii_lowercase()
            .windows(5)
            .any(|window| window == b"usage")
    }

    /// Whether it ended in one of the ways that are no message: a panic, a traceback, an uncaught
    /// error, a signal.
    pub(crate) fn panicked(&self) -> bool {
        const PANIC: i32 = 101; // what Rust's runtime exits with after a panic
        let words: [&[u8]; 3] =
            [b"panicked at", b"Traceback (most recent call last)", b"\nNode.js v"];
        match self.exit {
            Ok(status) => {
                status.code().is_none_or(|code| code == PANIC)
                    || !status.success() && words.iter().any(|words| self.stderr.contains(words))
            }
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &[&str], arguments: &[&str], expected: &[&str]) {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let filled =
            CommandLine::new(command.iter().copied()).fill("127.0.0.1", "7000", &arguments);
        assert_eq!(filled, expected.iter().map(OsString::from).collect::<Vec<_>>());
    }

    #[test]
    fn places_are_filled() {
        check(&["py", "s.py", "{host}", "{port}"], &[], &["py", "s.py", "127.0.0.1", "7000"]);
        check(&["s", "--at={host}:{port}"], &[], &["s", "--at=127.0.0.1:7000"]);
    }

    #[test]
    fn a_message_comes_last_or_where_it_is_wanted() {
        check(&["c", "{host}", "{port}"], &["{port}"], &["c", "127.0.0.1", "7000", "{port}"]);
        check(&["c", "{message}", "{port}"], &["hi"], &["c", "hi", "7000"]);
        check(&["c", "{message}", "{port}"], &[], &["c", "7000"]);
    }

    #[test]
    fn several_arguments_stand_in_the_place_of_one() {
        check(&["c", "{port}"], &["one", "two"], &["c", "7000", "one", "two"]);
        check(&["c", "{message}", "{port}"], &["one", "two"], &["c", "one", "two", "7000"]);
    }
}
