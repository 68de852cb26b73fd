//! What comes first of a client under test: its connection, or its end.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitStatus;
use std::time::Duration;

use crate::engine::kept::describe;
use crate::engine::network::{is_reset, is_timeout};
use crate::engine::verdict::Failure;
use crate::fault::Fault;

/// What a wait for a client's connection saw first.
pub(crate) enum Arrival {
    Connection(TcpStream),
    /// The client had ended without connecting.
    Ended(ExitStatus),
}

/// Looks for a connection, and for the end of the client, for at most `slice`.
pub(crate) fn look(
    listener: &TcpListener,
    slice: Duration,
    exited: impl FnOnce(Duration) -> io::Result<Option<ExitStatus>>,
) -> Result<Option<Arrival>, Fault> {
    if let Some(stream) = take_one(listener)? {
        return Ok(Some(Arrival::Connection(stream)));
    }
    let Some(status) = exited(slice.min(Duration::from_millis(2)))? else {
        return Ok(None);
    };
    // It may have connected, said all it had to say, and gone.
    let last = take_one(listener).ok().flatten().map(Arrival::Connection);
    Ok(Some(last.unwrap_or(Arrival::Ended(status))))
}

/// Returns a connection that waits to be accepted, if there is one.
pub(crate) fn take_one(listener: &TcpListener) -> Result<Option<TcpStream>, Fault> {
    match listener.accept() {
        Ok((stream, _)) => Ok(Some(stream)),
        Err(error) if is_timeout(&error) || is_reset(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes the failure of a client that does not connect.
pub(crate) fn no_client(address: SocketAddr, observed: &str) -> Failure {
    Failure::new(format!("your client to connect to {address}"), observed)
}

/// Makes the failure of a client that has ended instead.
pub(crate) fn ended_first(address: SocketAddr, status: ExitStatus) -> Failure {
    let how = describe(status);
    no_client(address, &format!("your client stopped ({how}) without connecting"))
}
