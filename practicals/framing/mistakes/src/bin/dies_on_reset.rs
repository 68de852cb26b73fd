//! Knows what to do at the end of a stream, and thinks that every other error is the end of the
//! world.

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
