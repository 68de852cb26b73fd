//! Correct, but unusual: prints its address on stderr while it starts.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use framing_mistakes::Right;
use framing_mistakes::server::{self, Server};

struct Announcing;

impl Server<Right> for Announcing {
    fn listen(&self, address: SocketAddr) -> io::Result<TcpListener> {
        let listener = TcpListener::bind(address)?;
        eprintln!("listening on {address}");
        Ok(listener)
    }
}

fn main() -> ExitCode {
    server::main(Announcing)
}
