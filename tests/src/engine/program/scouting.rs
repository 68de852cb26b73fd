//! Finds out whether a program gets so far as to listen or to connect, once for all of its checks.

use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};

use crate::engine::arrival::{self, Arrival};
use crate::engine::client::Origin;
use crate::engine::context::Scene;
use crate::engine::ended::Ended;
use crate::engine::program::{LOCALHOST, Launch, Program};
use crate::engine::running::{NotListening, Running};
use crate::engine::starts::{NeverStarts, Scout};
use crate::engine::tried::Tried;
use crate::engine::unwritten::Unwritten;
use crate::engine::verdict::{Bar, Failure, Stop};
use crate::engine::wait::{self, Wait, wait_for};
use crate::fault::Fault;
use crate::sandbox::Stdin;

/// An argument that every client takes: as a message, and as a number.
const ANY_ARGUMENT: &[u8] = b"2";

impl Program {
    /// Waits until it is known whether the program gets so far; the first caller becomes the scout.
    /// Fails for a program that never does.
    pub(super) fn enter_start(&self) -> Result<Option<Scout>, Stop> {
        Ok(self.subject.starts().enter().map_err(|never| never.failure.clone())?)
    }

    /// Returns what was seen of a program that never gets so far.
    fn never_starts(&self) -> Option<Arc<NeverStarts>> {
        self.subject.starts().never()
    }

    /// Returns the same where this failure says it of this program.
    pub(crate) fn bars(&self, failure: &Failure) -> Option<Arc<NeverStarts>> {
        let bar = failure.bar.as_ref().filter(|bar| bar.from_the_start)?;
        (bar.program == self.subject.name()).then(|| self.never_starts()).flatten()
    }

    /// Finds out whether a server gets so far, with a launch like any other, if that is not known.
    /// Fails for one that is in a loop whenever it is started.
    pub(super) fn scouted_server(&self) -> Result<Option<Arc<NeverStarts>>, Stop> {
        if self.subject.starts().is_unknown()
            && let Err(Stop::Fault(fault)) = self.with_arguments(&[]).launch()
        {
            return Err(fault.into());
        }
        match self.never_starts() {
            Some(never) if never.is_in_a_loop() => Err(never.failure.clone().into()),
            never => Ok(never),
        }
    }

    /// Keeps that a server never listens. Returns the failure of the check.
    pub(super) fn never_listens(&self, scout: Scout, not: &NotListening, failure: Failure) -> Stop {
        let scene = Arc::new(self.context.scene_of_start());
        let failure = self.barred(failure, &scene, not.status());
        let (status, is_at_rest) = (not.status(), not.is_at_rest());
        scout.never(NeverStarts { status, is_at_rest, failure: failure.clone(), scene });
        failure.into()
    }

    /// Marks a failure as the only one that this program can show, however it is started.
    fn barred(&self, failure: Failure, scene: &Scene, ends: Option<ExitStatus>) -> Failure {
        let program = self.subject.name().to_owned();
        let bar = Bar { program: program.clone(), from_the_start: true, unwritten: None };
        let again = if ends.is_some() { ", at every start" } else { "" };
        let observed = failure.observed.clone() + again;
        let failure = Failure { bar: Some(Box::new(bar)), observed, ..failure };
        match Unwritten::find(&scene.stderr_tail) {
            Some(step) => failure.not_written(program, step),
            None => failure,
        }
    }

    /// Starts a client aside. Returns how it ended and what was seen, if it did not connect.
    fn try_start(&self, launch: Launch) -> Option<(ExitStatus, Tried)> {
        let mut ended = None;
        let tried = self.try_aside(|client| {
            ended = client.ends_without_connecting(launch)?;
            match ended {
                Some((address, status)) => Err(arrival::ended_first(address, status).into()),
                None => Ok(()),
            }
        });
        let Err(Some(tried)) = tried else { return None };
        Some((ended?.1, tried))
    }

    /// Starts it as a client and waits for its connection. Returns how it ended instead, with the
    /// address that it was told.
    fn ends_without_connecting(
        &self,
        launch: Launch,
    ) -> Result<Option<(SocketAddr, ExitStatus)>, Stop> {
        let anywhere = SocketAddr::from((LOCALHOST, 0));
        let wanted = self.declared_address().unwrap_or(anywhere);
        let listener = self.context.place.network().listen(wanted).map_err(Fault::from)?;
        listener.set_nonblocking(true).map_err(Fault::from)?;
        let address = listener.local_addr().map_err(Fault::from)?;
        let mut running = self.start_client(address, launch)?;
        let wait = Wait::new(&self.context, wait::STARTING, wait::STUCK);
        let came = wait_for(wait, |slice| {
            arrival::look(&listener, slice, |within| running.exited(within)).transpose()
        });
        Ok(match came {
            Ok(Ok(Arrival::Ended(status))) => Some((address, status)),
            Ok(Err(fault)) => return Err(fault.into()),
            Ok(Ok(Arrival::Connection(_))) | Err(_) => None,
        })
    }
}

impl Origin for Program {
    fn leave(&self, running: Running) {
        self.lock().push(Arc::new(Mutex::new(running)));
    }

    /// Finds out whether a client that has ended without connecting does so at every start: with an
    /// argument, and with a line on its standard input.
    fn scout_client(&self, scout: Scout) -> Result<(), Stop> {
        let with_argument = Launch {
            arguments: vec![super::clients::argument(ANY_ARGUMENT)?],
            ..Launch::default()
        };
        let typed = [ANY_ARGUMENT, b"\n"].concat();
        let with_line =
            || Launch { stdin: Stdin { bytes: typed, then_end: true }, ..Launch::default() };

        let first = self.try_start(with_argument.clone());
        let Some((status, tried)) = first else {
            scout.gets_so_far();
            return Ok(());
        };
        let second = self.try_start(with_line());
        let same = match second {
            None => false,
            Some((other, _)) if other == status => true,
            Some(_) => self.try_start(with_argument).is_some_and(|(again, _)| again == status),
        };
        if !same {
            scout.gets_so_far();
            return Ok(());
        }
        let Tried { failure, scene } = tried;
        let status = Some(status);
        let failure = self.barred(failure, &scene, status);
        scout.never(NeverStarts { status, is_at_rest: false, failure: failure.clone(), scene });
        Err(failure.into())
    }

    /// Finds out whether the client connects at all, if that is not known.
    fn scout_client_once(&self) -> Result<(), Stop> {
        if !self.subject.starts().is_unknown() {
            return Ok(());
        }
        match self.enter_start() {
            // A check whose client ends otherwise still says something: the caller compares.
            Ok(Some(scout)) => self.scout_client(scout).or(Ok(())),
            _ => Ok(()),
        }
    }

    /// Holds unless the program ended here as it ends at every start: then this end tells nothing
    /// about the check.
    fn ended_otherwise(&self, ended: &Ended) -> Result<(), Stop> {
        match self.never_starts().filter(|never| never.ends_like(ended)) {
            Some(never) => Err(never.failure.clone().into()),
            None => Ok(()),
        }
    }
}
