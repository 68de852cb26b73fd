//! Starts a program as a client of the harness.

use std::ffi::OsString;
use std::net::SocketAddr;

use crate::engine::client::Client;
use crate::engine::command_line;
use crate::engine::program::{Launch, Program};
use crate::engine::running::{Running, World};
use crate::engine::verdict::Stop;
use crate::sandbox::Stdin;

/// Why a client cannot be started with certain arguments.
const TOO_LONG: &str = "a command line of this system is too short for the message of this check";

impl Program {
    /// Starts it as a client of `server` with a message as its argument. On a system whose command
    /// lines are too short for that, the message is a line on its standard input.
    pub(crate) fn send_to(&self, server: SocketAddr, message: &[u8]) -> Result<Client, Stop> {
        match self.takes_as_argument(message) {
            true => self.send_all_to(server, &[message]),
            false => self.send_typed(server, &[message, b"\n"].concat(), false),
        }
    }

    /// Returns whether this system can start it with this message as its argument.
    pub(crate) fn takes_as_argument(&self, message: &[u8]) -> bool {
        argument(message).is_ok_and(|argument| self.has_room_for(&[argument]))
    }

    /// Starts it as a client with these arguments, and an open standard input.
    pub(crate) fn send_all_to(
        &self,
        server: SocketAddr,
        arguments: &[&[u8]],
    ) -> Result<Client, Stop> {
        let arguments = arguments.iter().copied().map(argument).collect::<Result<Vec<_>, _>>()?;
        if !self.has_room_for(&arguments) {
            return Err(Stop::Unseen(TOO_LONG.to_owned()));
        }
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

    fn has_room_for(&self, arguments: &[OsString]) -> bool {
        const LONGEST_ADDRESS: (&str, &str) = ("255.255.255.255", "65535");
        let (host, port) = LONGEST_ADDRESS;
        let arguments = [self.arguments.as_slice(), arguments].concat();
        command_line::fits(&self.subject.command().fill(host, port, &arguments))
    }

    fn connect_to(&self, server: SocketAddr, launch: Launch) -> Result<Client, Stop> {
        // Whether a client connects is seen where the harness listens.
        let scout = match self.context.activity.listens_at(server) {
            true => self.enter_start()?,
            false => None,
        };
        self.end_what_was_left();
        let running = self.start_client(server, launch)?;
        Ok(Client::new(running, self.clone(), scout))
    }

    /// Starts it as a client without asking whether it gets so far.
    pub(super) fn start_client(&self, server: SocketAddr, launch: Launch) -> Result<Running, Stop> {
        let world = World { services: vec![server.port()] };
        let Launch { host, port, .. } = self.at(server);
        self.start(Launch { host, port, world, ..launch })
    }
}

#[cfg(unix)]
pub(super) fn argument(message: &[u8]) -> Result<OsString, Stop> {
    Ok(std::os::unix::ffi::OsStringExt::from_vec(message.to_vec()))
}

/// Elsewhere an argument is text.
#[cfg(not(unix))]
pub(super) fn argument(message: &[u8]) -> Result<OsString, Stop> {
    let text = String::from_utf8(message.to_vec());
    text.map(OsString::from).map_err(|_| {
        Stop::Unseen("arguments that are not text do not exist on this system".to_owned())
    })
}
