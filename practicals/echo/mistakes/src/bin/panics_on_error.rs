//! Panics when the address is taken. The student wrote `expect` for the time being, and never
//! started two servers on one port. A user then sees a line number and a note on backtraces.

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Unwrapping;

impl Server for Unwrapping {
    fn listen(&self, host: &str, port: u16) -> io::Result<TcpListener> {
        Ok(TcpListener::bind((host, port)).expect("bind"))
    }
}

fn main() -> ExitCode {
    server::main(&Unwrapping)
}
