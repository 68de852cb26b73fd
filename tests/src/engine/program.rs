//! A program as one check sees it: launched any number of times, each time as a fresh process.
//!
//! What a check's function leaves running is ended by the engine once the function has returned,
//! so that how a program ended is taken when it is known what the check found. Nothing here knows
//! what the program should say.

mod server;

use std::any::Any;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::client::Client;
use crate::engine::context::Context;
use crate::engine::ended::Ended;
use crate::engine::payload::Payload;
use crate::engine::port::{self, Tenancy};
use crate::engine::running::{
    Launch, NeverListened, NotListening, Ready, Running, World, is_taken,
};
use crate::engine::subject::Subject;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Stop};
use crate::engine::wait;
use crate::fault::Fault;
use crate::sandbox::Stdin;

pub(crate) use server::{NotRestarted, Server};

/// The address of the checks.
pub(crate) const LOCALHOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// How often a launch is tried on another port when another process took the first one.
const LAUNCHES: usize = 3;

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

    /// Returns what `try_it` finds out about the program. In one run that is tried only once, by the
    /// first check that asks.
    pub(crate) fn learn<T>(&self, try_it: impl FnOnce(&Self) -> T) -> Arc<T>
    where
        T: Any + Send + Sync,
    {
        self.subject.learned().get_or_learn(|| try_it(self))
    }

    /// Starts it as a server on 127.0.0.1 and waits until it listens.
    pub(crate) fn launch(&self) -> Result<Server, Stop> {
        self.launch_on(LOCALHOST)
    }

    /// Starts it as a server on this host and waits until it listens, wherever that is.
    pub(crate) fn launch_on(&self, host: Ipv4Addr) -> Result<Server, Stop> {
        let mut tenancy = self.enter_home()?;
        self.fixed_address_is_free()?;
        let mut attempt = 1;
        loop {
            let told = match self.subject.home().declared() {
                Some(address) => address,
                None => SocketAddr::from((host, port::take().map_err(Fault::from)?)),
            };
            let expected = self.subject.home().fixed().unwrap_or(told);
            match self.launch_at(told, expected, &mut tenancy)? {
                Ok((running, address)) => return Ok(self.serve(running, tenancy, told, address)),
                // Between the choice of the port and the bind another process may have taken it.
                Err(not)
                    if attempt < LAUNCHES && (not.status().is_some() || self.is_taken(told)) =>
                {
                    attempt += 1;
                }
                Err(not) => {
                    let fact = NeverListened(not.status());
                    return Err(not.failure(expected).with(fact).into());
                }
            }
        }
    }

    /// Starts it at this address. If it does not listen, its tenancy stays the caller's.
    pub(crate) fn launch_at(
        &self,
        told: SocketAddr,
        expected: SocketAddr,
        tenancy: &mut Tenancy,
    ) -> Result<Result<(Running, SocketAddr), NotListening>, Stop> {
        let launch = Launch { ready: Ready::Listens(expected), ..self.at(told) };
        let mut running = self.start(launch)?;
        let address = match running.until_listening(expected)? {
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
        let _tenancy = self.known_home()?;
        let launch =
            Launch { host: LOCALHOST.to_string(), port: port.to_owned(), ..Launch::default() };
        self.start(launch)?.until_ended(wait::ENDING)
    }

    /// Starts it as a server where the harness listens already, and waits for its end. For a
    /// program with a fixed address, the harness takes that address.
    pub(crate) fn launch_where_taken(&self) -> Result<(SocketAddr, Ended), Stop> {
        let _tenancy = self.known_home()?;
        let wanted = self.subject.home().fixed().unwrap_or(SocketAddr::from((LOCALHOST, 0)));
        let occupant = self.context.place.network().listen(wanted).map_err(Fault::from)?;
        let address = occupant.local_addr().map_err(Fault::from)?;
        Ok((address, self.start(self.at(address))?.until_ended(wait::ENDING)?))
    }

    /// Waits for a turn at the program's address, once it is known whether that is a fixed one.
    fn known_home(&self) -> Result<Tenancy, Stop> {
        if self.subject.home().is_unknown()
            && let Err(Stop::Fault(fault)) = self.launch()
        {
            return Err(fault.into());
        }
        self.enter_home()
    }

    /// Waits for a turn at the program's address; in a private network there is no waiting.
    fn enter_home(&self) -> Result<Tenancy, Stop> {
        self.end_what_was_left();
        let is_private = self.context.place.network().is_private();
        Ok(self.subject.home().enter(is_private).map_err(Fault::from)?)
    }

    fn fixed_address_is_free(&self) -> Result<(), Fault> {
        match self.subject.home().fixed().filter(|address| self.is_taken(*address)) {
            None => Ok(()),
            Some(address) => Err(Fault(format!(
                "something else listens on {address}, the address of {}: end it",
                self.subject.name()
            ))),
        }
    }

    /// Returns whether another process holds this address while the program does not listen.
    /// Where the kernel does not say who listens, it may be the program.
    fn is_taken(&self, address: SocketAddr) -> bool {
        is_taken(self.context.place.network(), address)
    }

    /// Returns whether the caller declared a fixed address for it.
    pub(crate) fn has_declared_address(&self) -> bool {
        self.subject.home().declared().is_some()
    }

    /// Returns whether its command line has a place for a port.
    pub(crate) fn takes_a_port(&self) -> bool {
        self.subject.command().has("{port}")
    }

    /// Starts it as a client of `server` with a message as its argument.
    pub(crate) fn send_to(&self, server: SocketAddr, message: &[u8]) -> Result<Client, Stop> {
        self.send_all_to(server, &[message])
    }

    /// Starts it as a client with these arguments, and an open standard input.
    pub(crate) fn send_all_to(
        &self,
        server: SocketAddr,
        arguments: &[&[u8]],
    ) -> Result<Client, Stop> {
        let arguments = arguments.iter().copied().map(argument).collect::<Result<_, _>>()?;
        self.connect_to(server, Launch { arguments, ..Launch::default() })
    }

    /// Starts it as a client without a message; it finds one on its standard input.
    pub(crate) fn send_typed(
        &self,
        server: SocketAddr,
        typed: &[u8],
        then_end: bool,
    ) -> Result<Client, Stop> {
        let stdin = Stdin { bytes: typed.to_vec(), then_end };
        self.connect_to(server, Launch { stdin, ..Launch::default() })
    }

    fn connect_to(&self, server: SocketAddr, launch: Launch) -> Result<Client, Stop> {
        let world = World { services: vec![server.port()] };
        let Launch { host, port, .. } = self.at(server);
        Ok(Client { running: self.start(Launch { host, port, world, ..launch })? })
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
        left.iter().for_each(|running| conclude(running, None));
    }

    /// Ends everything that is still running once the check's function has returned, and keeps how
    /// it had ended where that is evidence.
    pub(crate) fn conclude(&self, failure: Option<&Failure>) {
        let all: Vec<_> = self.lock().drain(..).collect();
        all.iter().for_each(|running| conclude(running, failure));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Mutex<Running>>>> {
        self.launched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn conclude(running: &Mutex<Running>, failure: Option<&Failure>) {
    running.lock().unwrap_or_else(PoisonError::into_inner).conclude(failure);
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
