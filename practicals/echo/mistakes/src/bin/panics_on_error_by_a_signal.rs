//! Aborts when the address is taken. A user sees the name of a signal and no reason.

use std::io;
use std::net::TcpListener;
use std::process::{ExitCode, abort};

use echo_mistakes::server::{self, Server};

struct Aborting;

impl Server for Aborting {
    fn listen(&self, host: &str, port: u16) -> io::Result<TcpListener> {
        TcpListener::bind((host, port)).or_else(|_| abort())
    }
}

fn main() -> ExitCode {
    server::main(&Aborting)
}
