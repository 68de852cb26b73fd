//! Handles the end of a stream correctly, but ends the process when a client resets its connection.

use std::io;
use std::io::ErrorKind;
use std::process::ExitCode;

use framing_mistakes::Right;
use framing_mistakes::server::{self, Server};

struct Fragile;

impl Server<Right> for Fragile {
    fn ended(&self, how: io::Result<()>) {
        match how {
            Err(error) if error.kind() == ErrorKind::ConnectionReset => std::process::exit(1),
            Err(error) => eprintln!("a client is lost: {error}"),
            Ok(()) => {}
        }
    }
}

fn main() -> ExitCode {
    server::main(Fragile)
}
