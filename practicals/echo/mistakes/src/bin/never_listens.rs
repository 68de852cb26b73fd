//! Binds its address and never listens on it, so no client can connect. In C and Python these are
//! two calls, and so they are here. After `bind` the port is taken, which looks like enough. The
//! first accept fails.

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use socket2::{Domain, Socket, Type};

use echo_mistakes::server::{self, Server, resolve};

struct Bound;

impl Server for Bound {
    const BUFFER: usize = 1024;

    /// Takes steps 1 and 2. Step 3, `socket.listen(128)`, is missing.
    fn listen(&self, host: &str, port: u16) -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(cfg!(unix))?;
        socket.bind(&resolve(host, port)?.into())?;
        Ok(socket.into())
    }

    fn serve(&'static self, listener: TcpListener) -> io::Result<()> {
        loop {
            let (client, _) = listener.accept()?;
            self.start(client);
        }
    }
}

fn main() -> ExitCode {
    server::main(&Bound)
}
