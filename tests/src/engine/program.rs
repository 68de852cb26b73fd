//! A program as one check sees it: launched any number of times, each time as a fresh process.
//!
//! What a check's function leaves running is ended by the engine once the function has returned,
//! so that how a program ended is taken when it is known what the check found. Nothing here knows
//! what the program should say.

mod clients;
mod scouting;
mod server;
mod taken;

use std::any::Any;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::context::Context;
use crate::engine::ended::Ended;
use crate::engine::opening::Opening;
use crate::engine::payload::Payload;
use crate::engine::port::{self, Tenancy};
use crate::engine::probe::Probe;
use crate::engine::running::{Launch, NotListening, Ready, Running};
use crate::engine::starts::Scout;
use crate::engine::subject::Subject;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Stop};
use crate::engine::wait::{self, Deadline};
use crate::fault::Fault;

pub(crate) use server::{NotRestarted, Server};

/// The address of the checks.
pub(crate) const LOCALHOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// How often a launch is tried on another port when another process took the first one.
const LAUNCHES: usize = 3;

/// A launch that listens, with its address, or why it does not.
type Launched = Result<(Running, SocketAddr), NotListening>;

/// The last of several tries to launch a server.
struct TriedLaunch {
    told: SocketAddr,
    expected: SocketAddr,
    launched: Launched,
    /// Whether another try would end in the same way.
    is_certain: bool,
}

/// A program as one check sees it.
#[derive(Debug, Clone)]
pub struct Program {
    subject: Arc<Subject>,
    pub(crate) context: Arc<Context>,
    /// What every launch has on its command line besides the address.
    arguments: Vec<OsString>,
    launched: Arc<Mutex<Vec<Arc<Mutex<Running>>>>>,
}

impl Program {
    pub(crate) fn new(subject: Arc<Subject>, context: Arc<Context>) -> Self {
        Self { subject, context, arguments: Vec::new(), launched: Arc::default() }
    }

    /// The same program, launched with these words after its address.
    pub(crate) fn with_arguments(&self, arguments: &[&str]) -> Self {
        Self { arguments: arguments.iter().map(Into::into).collect(), ..self.clone() }
    }

    /// The same program, to be run beside another one: in its network, and in its record.
    pub(crate) fn beside(&self, other: &Self) -> Self {
        Self {
            arguments: self.arguments.clone(),
            ..Self::new(self.subject.clone(), other.context.clone())
        }
    }

    /// Begins the check's payloads anew.
    pub(crate) fn payload(&self) -> Payload {
        self.context.payload()
    }

    /// Returns an answer to this message that a program cannot foretell.
    pub(crate) fn otherwise(&self, message: &[u8]) -> Vec<u8> {
        self.context.payloads.otherwise(message)
    }

    /// Returns 8 MiB, more than the buffers between two programs on one machine hold.
    pub(crate) fn large_message(&self) -> &Vec<u8> {
        self.context.payloads.large_message()
    }

    /// Makes an attempt with a fresh process and a new record. Returns `Err(None)` if the attempt
    /// found out nothing, because of a fault or because this system does not show enough.
    pub(crate) fn try_aside<T>(
        &self,
        attempt: impl FnOnce(&Self) -> Result<T, Stop>,
    ) -> Result<T, Option<Tried>> {
        let context = Arc::new(self.context.aside().map_err(|_| None)?);
        let aside =
            Self { arguments: self.arguments.clone(), ..Self::new(self.subject.clone(), context) };
        let outcome = attempt(&aside);
        aside.conclude(outcome.as_ref().err().and_then(Stop::failure));
        outcome.map_err(|stop| match stop {
            Stop::Failed(failure) => {
                Some(Tried { failure, scene: Arc::new(aside.context.take_scene()) })
            }
            Stop::Unseen(_) | Stop::Fault(_) => None,
        })
    }

    /// Returns whether an attempt with a fresh process succeeds.
    pub(crate) fn succeeds_aside<T>(&self, attempt: impl FnOnce(&Self) -> Result<T, Stop>) -> bool {
        self.try_aside(attempt).is_ok()
    }

    /// Returns what `try_it` finds out about the program. In one run that is tried only once, by
    /// the first check that asks.
    pub(crate) fn learn<T>(&self, try_it: impl FnOnce(&Self) -> T) -> Arc<T>
    where
        T: Any + Send + Sync,
    {
        self.subject.learned().get_or_learn(|| try_it(self))
    }

    /// Tells all later conversations of this run what the program sends first.
    pub(crate) fn opens_with(&self, opening: Opening) {
        _ = self.subject.opening().set(opening); // one check finds it out
    }

    /// Starts it as a server on 127.0.0.1 and waits until it listens.
    pub(crate) fn launch(&self) -> Result<Server, Stop> {
        self.launch_on(LOCALHOST)
    }

    /// Starts it as a server on this host and waits until it listens, wherever that is.
    pub(crate) fn launch_on(&self, host: Ipv4Addr) -> Result<Server, Stop> {
        self.launch_told(SocketAddr::from((host, 0)))
    }

    /// Starts it as a server where `client` connects to, and waits until it listens. The server
    /// keeps the client's right to a fixed address.
    pub(crate) fn launch_for(&self, client: &Self) -> Result<Server, Stop> {
        if self.has_declared_address() {
            return self.launch();
        }
        let Some((tenancy, address)) = client.turn_as_client()? else { return self.launch() };
        client.fixed_address_is_free()?;
        let server = self.launch_told(address)?;
        server.keep(tenancy);
        Ok(server)
    }

    /// Starts it as a server at this address, on a free port where the port is 0.
    fn launch_told(&self, wanted: SocketAddr) -> Result<Server, Stop> {
        if !self.arguments.is_empty() {
            self.scouted_server()?;
        }
        let scout = self.enter_start()?;
        let mut tenancy = self.enter_home()?;
        self.fixed_address_is_free()?;
        let tried = self.launch_repeatedly(wanted, &mut tenancy, scout.is_some())?;
        let not = match tried.launched {
            Ok((running, address)) => {
                scout.into_iter().for_each(Scout::gets_so_far);
                return Ok(self.serve(running, tenancy, tried.told, address));
            }
            Err(not) => not,
        };
        let failure = not.fact().into_iter().fold(not.failure(tried.expected), Failure::with);
        Err(match scout.filter(|_| tried.is_certain) {
            Some(scout) => self.never_listens(scout, &not, failure),
            None => failure.into(),
        })
    }

    /// Starts it until it listens, or until another try would not do better.
    fn launch_repeatedly(
        &self,
        wanted: SocketAddr,
        tenancy: &mut Tenancy,
        is_scout: bool,
    ) -> Result<TriedLaunch, Stop> {
        let (mut tries, mut last_end) = (0, None);
        loop {
            let told = self.address_at(wanted)?;
            let expected = self.subject.home().fixed().unwrap_or(told);
            let launched =
                self.launch_at(told, expected, tenancy, wait::STARTING, Probe::of_launch(tries))?;
            let launched = if is_scout { comes_to_rest(launched)? } else { launched };
            let is_certain = match &launched {
                Ok(_) => true,
                Err(not) => !self.is_accident(not, told, last_end.filter(|_| is_scout)),
            };
            tries += 1;
            if is_certain || tries == LAUNCHES {
                launched.as_ref().map_or_else(|_| self.is_left_alone(told), |_| Ok(()))?;
                return Ok(TriedLaunch { told, expected, launched, is_certain });
            }
            last_end = launched.err().and_then(|not| not.status());
        }
    }

    /// Returns the address that the next launch is told.
    fn address_at(&self, wanted: SocketAddr) -> Result<SocketAddr, Fault> {
        match self.subject.home().declared() {
            Some(address) => Ok(address),
            None if wanted.port() != 0 => Ok(wanted),
            None => Ok(SocketAddr::new(wanted.ip(), port::take()?)),
        }
    }

    /// Starts it at this address. If it does not listen, its tenancy stays the caller's.
    pub(crate) fn launch_at(
        &self,
        told: SocketAddr,
        expected: SocketAddr,
        tenancy: &mut Tenancy,
        deadline: Deadline,
        probe: Probe,
    ) -> Result<Launched, Stop> {
        let launch = Launch { ready: Ready::Listens(expected), ..self.at(told) };
        let mut running = self.start(launch)?;
        let address = match running.until_listening(expected, deadline, probe)? {
            Ok(address) => address,
            Err(not_listening) => {
                if not_listening.status().is_some() {
                    running.conclude(None);
                }
                return Ok(Err(not_listening));
            }
        };
        match address.port() == told.port() {
            true => tenancy.settle_as_told(),
            false => tenancy.settle_at(address),
        }
        Ok(Ok((running, address)))
    }

    /// Makes the server of a program that listens.
    pub(crate) fn serve(
        &self,
        mut running: Running,
        tenancy: Tenancy,
        told: SocketAddr,
        address: SocketAddr,
    ) -> Server {
        running.tenancy = Some(tenancy);
        let running = Arc::new(Mutex::new(running));
        self.lock().push(running.clone());
        Server::new(self.clone(), running, told, address)
    }

    /// Starts it as a server with a port that is none, and waits for its end.
    pub(crate) fn launch_with_port(&self, port: &str) -> Result<Ended, Stop> {
        let never = self.scouted_server()?;
        let _tenancy = self.enter_home()?;
        let launch =
            Launch { host: LOCALHOST.to_string(), port: port.to_owned(), ..Launch::default() };
        let ended = self.start(launch)?.until_ended(wait::ENDING)?;
        match never.filter(|never| never.explains(&ended)) {
            Some(never) => Err(never.failure.clone().into()),
            None => Ok(ended),
        }
    }

    /// Starts it as a server where the harness listens already, and waits for its end. For a
    /// program with a fixed address, the harness takes that address.
    pub(crate) fn launch_where_taken(&self) -> Result<(SocketAddr, Ended), Stop> {
        if let Some(never) = self.scouted_server()? {
            return Err(never.failure.clone().into());
        }
        let _tenancy = self.enter_home()?;
        let wanted = self.subject.home().fixed().unwrap_or(SocketAddr::from((LOCALHOST, 0)));
        let occupant = self.context.place.network().listen(wanted).map_err(Fault::from)?;
        let address = occupant.local_addr().map_err(Fault::from)?;
        Ok((address, self.start(self.at(address))?.until_ended(wait::ENDING)?))
    }

    /// Waits for a turn at the program's address; in a private network there is no waiting.
    fn enter_home(&self) -> Result<Tenancy, Stop> {
        self.end_what_was_left();
        let is_private = self.context.place.network().is_private();
        Ok(self.subject.home().enter(is_private).map_err(Fault::from)?)
    }

    /// Waits for a turn at the address to which the program always connects. Returns `None` for a
    /// program that is told its address.
    pub(crate) fn turn_as_client(&self) -> Result<Option<(Tenancy, SocketAddr)>, Stop> {
        let Some(address) = self.declared_address() else { return Ok(None) };
        Ok(Some((self.enter_home()?, address)))
    }

    /// Returns the practical's name for it.
    pub(crate) fn name(&self) -> &str {
        self.subject.name()
    }

    /// Returns the address that the caller declared to be its fixed one.
    pub(crate) fn declared_address(&self) -> Option<SocketAddr> {
        self.subject.home().declared()
    }

    /// Returns whether the caller declared a fixed address for it.
    pub(crate) fn has_declared_address(&self) -> bool {
        self.declared_address().is_some()
    }

    /// Returns whether its command line has a place for a host.
    pub(crate) fn takes_a_host(&self) -> bool {
        self.subject.command().has("{host}")
    }

    /// Returns whether its command line has a place for a port.
    pub(crate) fn takes_a_port(&self) -> bool {
        self.subject.command().has("{port}")
    }

    /// A launch at this address.
    fn at(&self, address: SocketAddr) -> Launch {
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        Launch { host, port, ..Launch::default() }
    }

    fn start(&self, launch: Launch) -> Result<Running, Stop> {
        let arguments = [self.arguments.as_slice(), &launch.arguments].concat();
        Running::start(&self.subject, &self.context, Launch { arguments, ..launch })
    }

    /// Ends the servers that the check's function is done with.
    fn end_what_was_left(&self) {
        let (left, held): (Vec<_>, Vec<_>) =
            self.lock().drain(..).partition(|running| Arc::strong_count(running) == 1);
        self.lock().extend(held);
        left.iter().for_each(|running| lock(running).conclude(None));
    }

    /// Keeps how everything has ended that the check's function has left running.
    pub(crate) fn keep_ends(&self, failure: Option<&Failure>) {
        self.lock().iter().for_each(|running| lock(running).keep_end(failure));
    }

    /// Ends everything that is still running once the check's function has returned, and keeps how
    /// it had ended where that is evidence.
    pub(crate) fn conclude(&self, failure: Option<&Failure>) {
        self.keep_ends(failure);
        let all: Vec<_> = self.lock().drain(..).collect();
        all.iter().for_each(|running| lock(running).conclude(failure));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Mutex<Running>>>> {
        self.launched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Turns a server that has listened and ended at once into one that does not listen. Whether a look
/// fell into that moment is chance, so all that end early are told alike.
fn comes_to_rest(launched: Launched) -> Result<Launched, Stop> {
    let ended =
        |status, is_shown| NotListening::Ended { status, may_have_listened: true, is_shown };
    let (mut running, address) = match launched {
        Ok(listening) => listening,
        Err(NotListening::Ended { status, is_shown, .. }) => {
            return Ok(Err(ended(status, is_shown)));
        }
        Err(not) => return Ok(Err(not)),
    };
    let Some(status) = running.ended_at_once()? else { return Ok(Ok((running, address))) };
    running.conclude(None);
    Ok(Err(ended(status, true)))
}

fn lock(running: &Mutex<Running>) -> MutexGuard<'_, Running> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
