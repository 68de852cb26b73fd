//! Creates its listening socket by hand, without SO_REUSEADDR: as long as the system remembers the
//! old connections, the port is in use.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use mio::net::TcpListener;
use socket2::{Domain, Socket, Type};

use multiconn_mistakes::server::{self, Server};

struct ByHand;

impl Server for ByHand {
    fn listen(&mut self, address: SocketAddr) -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&address.into())?;
        socket.listen(1024)?;
        socket.set_nonblocking(true)?;
        Ok(TcpListener::from_std(socket.into()))
    }
}

fn main() -> ExitCode {
    server::main(ByHand)
}
