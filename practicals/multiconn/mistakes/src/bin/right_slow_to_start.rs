//! Correct, but unusual: it sleeps before it listens.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use mio::net::TcpListener;

use multiconn_mistakes::server::{self, Server};

struct Slow;

impl Server for Slow {
    fn listen(&mut self, address: SocketAddr) -> io::Result<TcpListener> {
        thread::sleep(Duration::from_millis(700));
        TcpListener::bind(address)
    }
}

fn main() -> ExitCode {
    server::main(Slow)
}
