//! Accepts clients in threads of their own, and the conversation is not written yet. That is no
//! mistake. Each thread panics, and the server lives on.

use std::io;
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Unfinished;

impl Server for Unfinished {
    fn converse(&self, client: &TcpStream) -> io::Result<()> {
        todo!("steps 7 to 9: echo what comes over {client:?}")
    }
}

fn main() -> ExitCode {
    server::main(&Unfinished)
}
