//! Expects each client to send something before it closes: otherwise the whole server ends with an
//! error.

use std::io;
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Offended;

impl Server for Offended {
    fn gone(&mut self, client: Client) -> io::Result<()> {
        match client.said {
            0 if client.ended => Err(io::Error::other("a client that says nothing")),
            _ => Ok(()),
        }
    }
}

fn main() -> ExitCode {
    server::main(Offended)
}
