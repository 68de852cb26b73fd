//! Listens on every interface of the machine. The student has read that servers bind 0.0.0.0, and
//! uses only the port from the command line.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use mio::net::TcpListener;

use multiconn_mistakes::server::{self, Server};

struct Everywhere;

impl Server for Everywhere {
    fn listen(&mut self, address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port()).into())
    }
}

fn main() -> ExitCode {
    server::main(Everywhere)
}
