//! The harness as a server, for a client under test.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use socket2::{Domain, Socket};

use crate::engine::arrival::{self, Arrival};
use crate::engine::client::Client;
use crate::engine::context::Context;
use crate::engine::peer::Peer;
use crate::engine::port::Tenancy;
use crate::engine::program::{LOCALHOST, Program};
use crate::engine::snapshot::Snapshot;
use crate::engine::transcript::EventKind;
use crate::engine::verdict::Stop;
use crate::engine::wait::{self, GaveUp, Wait, wait_for};
use crate::fault::Fault;
use crate::observe::ProcessTree;

/// The harness as a server, for a client under test.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
    context: Arc<Context>,
    /// The right to the address, for a client that has a fixed one.
    _tenancy: Option<Tenancy>,
}

impl Listener {
    /// Listens where the client connects to: at its fixed address, or else on a free port of
    /// 127.0.0.1. Another check of a client with a fixed address waits until this is dropped.
    pub(crate) fn open(client: &Program) -> Result<Self, Stop> {
        let context = client.context.clone();
        let (tenancy, address) = place_for(client)?;
        let listener = context.place.network().listen_again(address);
        let listener = listener.map_err(|error| cannot_have(client, address, &error))?;
        listener.set_nonblocking(true).map_err(Fault::from)?;
        let address = listener.local_addr().map_err(Fault::from)?;
        context.activity.add_listener(address);
        Ok(Self { listener, address, context, _tenancy: tenancy })
    }

    /// Waits for the client's connection.
    pub(crate) fn accept(&self, client: &mut Client) -> Result<Peer, Stop> {
        let wait = Wait::new(&self.context, wait::STARTING, wait::STUCK);
        let mut look = |slice| arrival::look(&self.listener, slice, |within| client.exited(within));
        let came = wait_for(wait, |slice| look(slice).transpose());
        match came {
            Ok(Ok(Arrival::Connection(stream))) => {
                client.has_connected();
                self.peer(stream, client.tree(), EventKind::Accept)
            }
            Ok(Ok(Arrival::Ended(status))) => {
                client.does_not_connect()?;
                Err(arrival::ended_first(self.address, status).into())
            }
            Ok(Err(fault)) => Err(fault.into()),
            Err(timeout) if timeout.why == GaveUp::Stuck => {
                let observed =
                    "no connection: your client is waiting for something that will never come";
                Err(self.no_client(observed, timeout.snapshot))
            }
            Err(timeout) => Err(self.no_client("no connection", timeout.snapshot)),
        }
    }

    /// Returns the connection of a client that has gone already, if it made one.
    pub(crate) fn accept_waiting(&self, client: ProcessTree) -> Result<Option<Peer>, Stop> {
        let Some(stream) = arrival::take_one(&self.listener)? else { return Ok(None) };
        self.peer(stream, client, EventKind::Connect).map(Some)
    }

    fn peer(&self, stream: TcpStream, client: ProcessTree, kind: EventKind) -> Result<Peer, Stop> {
        stream.set_nonblocking(false).map_err(Fault::from)?;
        Peer::new(self.context.record.next_peer(), stream, &self.context, client, kind)
    }

    fn no_client(&self, observed: &str, snapshot: Option<Arc<Snapshot>>) -> Stop {
        arrival::no_client(self.address, observed).at(snapshot).into()
    }
}

/// Returns where the harness plays the server of a client, with the right to a fixed address.
fn place_for(client: &Program) -> Result<(Option<Tenancy>, SocketAddr), Stop> {
    Ok(match client.turn_as_client()? {
        Some((tenancy, address)) => (Some(tenancy), address),
        None => (None, SocketAddr::from((LOCALHOST, 0))),
    })
}

fn cannot_have(client: &Program, address: SocketAddr, error: &io::Error) -> Fault {
    match client.declared_address() {
        None => Fault(error.to_string()),
        Some(_) => Fault(format!(
            "the harness cannot be the server at {address}, the address of {}: {error}; \
             end what listens there, or give another --address",
            client.name()
        )),
    }
}

/// An address that refuses connections for as long as this value lives: its socket is bound and
/// does not listen, so no other can listen there.
#[derive(Debug)]
pub(crate) struct Refusing {
    pub(crate) address: SocketAddr,
    _socket: Socket,
    _tenancy: Option<Tenancy>,
}

impl Refusing {
    /// Takes the address that the client connects to, or else a free port of 127.0.0.1.
    pub(crate) fn at_address_of(client: &Program) -> Result<Self, Stop> {
        let (tenancy, address) = place_for(client)?;
        let socket = bound(client, address);
        let socket = socket.map_err(|error| cannot_have(client, address, &error))?;
        let address = socket.local_addr().map_err(Fault::from)?.as_socket();
        let address =
            address.ok_or_else(|| Fault("a bound socket without an address".to_owned()))?;
        Ok(Self { address, _socket: socket, _tenancy: tenancy })
    }
}

fn bound(client: &Program, address: SocketAddr) -> io::Result<Socket> {
    let socket = client.context.place.network().tcp_socket(Domain::for_address(address))?;
    #[cfg(unix)] // a fixed address may have connections of an earlier check in TIME_WAIT
    socket.set_reuse_address(address.port() != 0)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
