//! What a copy of a socket's descriptor shows. Nothing here sets a flag: the program would share
//! it.

use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionread;
use socket2::{Socket, Type};

use crate::observe::facts::SendQueues;

pub(super) fn listens(socket: &Socket) -> bool {
    socket.is_listener().unwrap_or(false) && socket.r#type().is_ok_and(|kind| kind == Type::STREAM)
}

pub(super) fn address_of(socket: &Socket) -> Option<SocketAddr> {
    socket.local_addr().ok()?.as_socket().map(canonical)
}

pub(super) fn peer_of(socket: &Socket) -> Option<SocketAddr> {
    socket.peer_addr().ok()?.as_socket().map(canonical)
}

/// Turns an IPv4-mapped address of an IPv6 socket into IPv4 (RFC 4291, section 2.5.5.2).
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Returns the number of bytes in its receive queue.
pub(super) fn unread(socket: &Socket) -> Option<usize> {
    ioctl_fionread(socket).ok().map(|bytes| bytes as usize)
}

/// Returns the number of connections that wait to be accepted. The kernel puts it where other
/// sockets have their unacknowledged segments (`tcp_get_info` in net/ipv4/tcp.c).
pub(super) fn accept_queue(socket: &Socket) -> usize {
    // SAFETY: all-zero bytes are a valid tcp_info, which holds integers only.
    let mut info: libc::tcp_info = unsafe { mem::zeroed() };
    let mut length = mem::size_of_val(&info) as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `info`.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &mut length,
        )
    };
    if result == 0 { info.tcpi_unacked as usize } else { 0 }
}

/// Returns whether the peer's end of stream has arrived (poll(2), POLLRDHUP).
pub(super) fn has_seen_the_end(socket: &Socket) -> bool {
    if listens(socket) {
        return false;
    }
    has_event(socket, PollFlags::RDHUP)
}

/// Returns whether one of these events is there now (poll(2)).
pub(super) fn has_event(socket: impl AsFd, events: PollFlags) -> bool {
    let mut asked = [PollFd::new(&socket, events)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut asked, Some(&at_once)).is_ok_and(|ready| ready > 0)
        && asked[0].revents().intersects(events)
}

/// Returns whether SO_RCVTIMEO and SO_SNDTIMEO are unset (socket(7)). The arguments of a system
/// call do not show them.
pub(super) fn has_no_timeout(socket: &Socket) -> bool {
    matches!((socket.read_timeout(), socket.write_timeout()), (Ok(None), Ok(None)))
}

/// Returns whether the other end may be outside of the harness and the program: a service with a
/// named Unix socket, or another machine. The harness cannot see what they are about to send.
pub(super) fn hears_from_outside(socket: &Socket) -> bool {
    let Ok(peer) = socket.peer_addr() else { return false };
    let is_service = peer.is_unix() && !peer.is_unnamed();
    let is_elsewhere = |address: SocketAddr| !canonical(address).ip().is_loopback();
    is_service || peer.as_socket().is_some_and(is_elsewhere)
}

/// Returns whether the other side has acknowledged everything that was written to this socket, or
/// with [`SendQueues::Stalled`] everything that was sent (tcp(7), SIOCOUTQ; linux/sockios.h,
/// SIOCOUTQNSD).
pub(crate) fn is_drained(socket: impl AsFd, queues: SendQueues) -> bool {
    const SIOCOUTQNSD: rustix::ioctl::Opcode = 0x894b;

    // SAFETY: the request writes one int (linux/sockios.h).
    let unsent = unsafe {
        rustix::ioctl::ioctl(
            socket.as_fd(),
            rustix::ioctl::Getter::<SIOCOUTQNSD, libc::c_int>::new(),
        )
    };
    match (unacknowledged(&socket), unsent, queues) {
        (Ok(queued), _, SendQueues::Empty) => queued == 0,
        (Ok(queued), Ok(unsent), SendQueues::Stalled) => queued == unsent,
        _ => true, // only a connected TCP socket has a send queue
    }
}

/// Returns the number of bytes that were written to this socket and that the other side has not
/// acknowledged.
pub(super) fn unacknowledged(socket: impl AsFd) -> rustix::io::Result<libc::c_int> {
    const SIOCOUTQ: rustix::ioctl::Opcode = libc::TIOCOUTQ as rustix::ioctl::Opcode;

    // SAFETY: the request writes one int (linux/sockios.h).
    unsafe {
        rustix::ioctl::ioctl(socket.as_fd(), rustix::ioctl::Getter::<SIOCOUTQ, libc::c_int>::new())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use super::*;
    use crate::observe::linux::testing::soon;

    #[test]
    fn a_socket_with_a_timeout_can_wake_its_owner() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = Socket::from(OwnedFd::from(stream));
        assert!(has_no_timeout(&socket));
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert!(!has_no_timeout(&socket));
    }

    #[test]
    fn a_unix_service_is_outside_and_a_pair_of_sockets_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let service =
            std::os::unix::net::UnixListener::bind(folder.path().join("service")).unwrap();
        let user = std::os::unix::net::UnixStream::connect(folder.path().join("service")).unwrap();
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(hears_from_outside(&Socket::from(OwnedFd::from(user))));
        for socket in [OwnedFd::from(service), one.into(), listener.into(), client.into()] {
            assert!(!hears_from_outside(&Socket::from(socket)));
        }
    }

    #[test]
    fn an_end_of_stream_is_seen_without_reading() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = Socket::from(OwnedFd::from(listener.accept().unwrap().0));
        assert!(!has_seen_the_end(&server) && !listens(&server));
        drop(client);
        soon("the end should arrive", || has_seen_the_end(&server));
    }

    #[test]
    fn a_listening_socket_counts_waiting_clients() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let clients: Vec<_> =
            (0..3).map(|_| TcpStream::connect(listener.local_addr().unwrap()).unwrap()).collect();
        let socket = Socket::from(OwnedFd::from(listener));
        assert_eq!(accept_queue(&socket), clients.len());
        _ = socket.accept().unwrap();
        assert_eq!(accept_queue(&socket), clients.len() - 1);
    }
}
