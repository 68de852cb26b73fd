//! Listens on every interface of the machine, and takes only the port from the command line.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;

use framing_mistakes::Right;
use framing_mistakes::server::{self, Server};

struct Everywhere;

impl Server<Right> for Everywhere {
    fn listen(&self, address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port()))
    }
}

fn main() -> ExitCode {
    server::main(Everywhere)
}
