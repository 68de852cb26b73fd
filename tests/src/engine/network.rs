//! Makes the TCP sockets of a check's peers in the network of the check. A peer cannot tell a
//! private network from the machine's.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::ops::Deref;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::sandbox::Network as Place;

/// The network of one check.
#[derive(Debug)]
pub(crate) struct Network(pub(crate) Place);

impl Network {
    /// Returns a TCP socket that is neither bound nor connected.
    pub(crate) fn tcp_socket(&self, domain: Domain) -> io::Result<Socket> {
        self.socket(domain, Type::STREAM)
    }

    /// Listens where the harness may have listened a moment ago. A process that is just being
    /// started has copies of the harness's descriptors until its program begins (execve(2)), and
    /// nothing tells when they are gone.
    pub(crate) fn listen_again(&self, address: SocketAddr) -> io::Result<TcpListener> {
        const AT_MOST: Duration = Duration::from_secs(2);
        let began = Instant::now();
        loop {
            match self.listen(address) {
                Err(error) if error.kind() == ErrorKind::AddrInUse && began.elapsed() < AT_MOST => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                listening => return listening,
            }
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
}

impl Deref for Network {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.0
    }
}

/// Returns whether a call on a socket ended only because its time was over.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Returns whether the connection is gone without an end of stream.
pub(crate) fn is_reset(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted
    )
}
