//! Does not set SO_REUSEADDR. After a restart the old connections still hold the port, and the
//! server cannot bind it for about a minute. The student made the socket step by step, as in the
//! handout, and left out a step that matters only at the second start. (`TcpListener::bind` sets
//! the option on Unix.)

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use socket2::{Domain, Socket, Type};

use echo_mistakes::server::{self, Server, resolve};

struct ByHand;

impl Server for ByHand {
    fn listen(&self, host: &str, port: u16) -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&resolve(host, port)?.into())?;
        socket.listen(128)?;
        Ok(socket.into())
    }
}

fn main() -> ExitCode {
    server::main(&ByHand)
}
