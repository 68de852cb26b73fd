//! Starts a program as a client of the harness.

use std::ffi::OsString;
use std::net::SocketAddr;

use crate::engine::client::Client;
use crate::engine::program::{Launch, Program};
use crate::engine::running::{Running, World};
use crate::engine::verdict::Stop;
use crate::sandbox::Stdin;

impl Program {
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
