//! Listens on 127.0.0.1:65432, whatever address it is given. The address stood in the code before
//! there were arguments. The server now reads the arguments, but does not use them.

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

/// The address from the handout.
const ADDRESS: (&str, u16) = ("127.0.0.1", 65432);

struct FixedAddress;

impl Server for FixedAddress {
    const BUFFER: usize = 1024;

    fn listen(&self, _host: &str, _port: u16) -> io::Result<TcpListener> {
        TcpListener::bind(ADDRESS)
    }
}

fn main() -> ExitCode {
    server::main(&FixedAddress)
}
