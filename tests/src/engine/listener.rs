//! The harness as a server, for a client under test.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Socket};

use crate::engine::client::Client;
use crate::engine::context::Context;
use crate::engine::kept::describe;
use crate::engine::peer::{Peer, is_reset, is_timeout};
use crate::engine::program::LOCALHOST;
use crate::engine::snapshot::Snapshot;
use crate::engine::transcript::EventKind;
use crate::engine::verdict::{Failure, Stop};
use crate::engine::wait::{self, GaveUp, Wait, wait_for};
use crate::fault::Fault;
use crate::observe::ProcessTree;

/// The harness as a server, for a client under test.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
    context: Arc<Context>,
}

/// EventKind a wait for a client's connection saw first.
enum Arrival {
    Connection(TcpStream),
    /// The client had ended without connecting.
    Ended(String),
}

impl Listener {
    /// Listens on a free port of 127.0.0.1.
    pub(crate) fn open(context: &Arc<Context>) -> Result<Self, Stop> {
        let address = SocketAddr::from((LOCALHOST, 0));
        let listener = context.place.network().listen(address).map_err(Fault::from)?;
        listener.set_nonblocking(true).map_err(Fault::from)?;
        let address = listener.local_addr().map_err(Fault::from)?;
        context.activity.add_listener(address);
        Ok(Self { listener, address, context: context.clone() })
    }

    /// Waits for the client's connection.
    pub(crate) fn accept(&self, client: &mut Client) -> Result<Peer, Stop> {
        let wait = Wait::new(&self.context, wait::STARTING, wait::STUCK);
        let came = wait_for(wait, |slice| self.arrival(client, slice).transpose());
        match came {
            Ok(Ok(Arrival::Connection(stream))) => {
                self.peer(stream, client.tree(), EventKind::Accept)
            }
            Ok(Ok(Arrival::Ended(status))) => {
                Err(self
                    .no_client(&format!("your client stopped ({status}) without connecting"), None))
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

    fn arrival(&self, client: &mut Client, slice: Duration) -> Result<Option<Arrival>, Fault> {
        if let Some(stream) = self.take_one()? {
            return Ok(Some(Arrival::Connection(stream)));
        }
        let Some(status) = client.exited(slice.min(Duration::from_millis(2)))? else {
            return Ok(None);
        };
        // It may have connected, said all it had to say, and gone.
        let last = self.take_one().ok().flatten().map(Arrival::Connection);
        Ok(Some(last.unwrap_or_else(|| Arrival::Ended(describe(status)))))
    }

    /// Returns the connection of a client that has gone already, if it made one.
    pub(crate) fn accept_waiting(&self, client: ProcessTree) -> Result<Option<Peer>, Stop> {
        let Some(stream) = self.take_one()? else { return Ok(None) };
        self.peer(stream, client, EventKind::Connect).map(Some)
    }

    fn peer(&self, stream: TcpStream, client: ProcessTree, kind: EventKind) -> Result<Peer, Stop> {
        stream.set_nonblocking(false).map_err(Fault::from)?;
        Peer::new(self.context.record.next_peer(), stream, &self.context, client, kind)
    }

    fn take_one(&self) -> Result<Option<TcpStream>, Fault> {
        match self.listener.accept() {
            Ok((stream, _)) => Ok(Some(stream)),
            Err(error) if is_timeout(&error) || is_reset(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn no_client(&self, observed: &str, snapshot: Option<Arc<Snapshot>>) -> Stop {
        let expected = format!("your client to connect to {}", self.address);
        Failure::new(expected, observed).at(snapshot).into()
    }
}

/// Returns an address that refuses connections for as long as the socket lives: the socket is bound
/// and does not listen, so no other can listen there.
pub(crate) fn refusing_address(context: &Context) -> Result<(Socket, SocketAddr), Fault> {
    let socket = context.place.network().tcp_socket(Domain::IPV4)?;
    socket.bind(&SocketAddr::from((LOCALHOST, 0)).into())?;
    let address = socket.local_addr()?.as_socket();
    let address = address.ok_or_else(|| Fault("a bound socket without an address".to_owned()))?;
    Ok((socket, address))
}
