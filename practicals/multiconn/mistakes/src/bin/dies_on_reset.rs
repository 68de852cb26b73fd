//! Has a `?` in the loop that serves all clients. When one client resets its connection, the server
//! ends.

use std::io;
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Server};

struct Fragile;

impl Server for Fragile {
    fn lost(&mut self, error: io::Error) -> io::Result<()> {
        Err(error)
    }
}

fn main() -> ExitCode {
    server::main(Fragile)
}
