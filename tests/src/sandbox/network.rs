//! The network that a check's programs and its peers share: the machine's, or one of the check's
//! own with nothing in it but loopback. Peers make their sockets here, and cannot tell the one from
//! the other.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Where a check's sockets are.
#[derive(Debug)]
pub(crate) enum Network {
    /// The machine's.
    Shared,
    /// The check's own.
    #[cfg(target_os = "linux")]
    Private(super::broker::PrivateNetwork),
}

impl Network {
    /// A TCP socket, neither bound nor connected.
    pub(crate) fn tcp_socket(&self, domain: Domain) -> io::Result<Socket> {
        match self {
            Self::Shared => Socket::new(domain, Type::STREAM, Some(Protocol::TCP)),
            #[cfg(target_os = "linux")]
            Self::Private(network) => network.tcp_socket(domain),
        }
    }

    /// Listens like [`TcpListener::bind`].
    pub(crate) fn listen(&self, address: SocketAddr) -> io::Result<TcpListener> {
        const BACKLOG: i32 = 128;
        let socket = self.tcp_socket(Domain::for_address(address))?;
        #[cfg(unix)] // elsewhere it would let two listen on one address
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    }

    /// Whether nobody else's sockets are here.
    pub(crate) fn is_private(&self) -> bool {
        !matches!(self, Self::Shared)
    }

    /// Where a launcher finds it; nothing for the machine's.
    #[cfg(unix)]
    pub(crate) fn place(&self) -> Option<String> {
        match self {
            Self::Shared => None,
            #[cfg(target_os = "linux")]
            Self::Private(network) => Some(network.place()),
        }
    }
}
