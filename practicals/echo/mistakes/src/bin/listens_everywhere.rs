//! Listens on every interface of the machine, even when it is given 127.0.0.1. Most examples bind
//! 0.0.0.0, and then the server can be reached from everywhere, which is what is wrong with it.

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Everywhere;

impl Server for Everywhere {
    const BUFFER: usize = 1024;

    fn listen(&self, _host: &str, port: u16) -> io::Result<TcpListener> {
        TcpListener::bind(("0.0.0.0", port))
    }
}

fn main() -> ExitCode {
    server::main(&Everywhere)
}
