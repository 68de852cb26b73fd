//! Unwraps what binding returns: where the address is taken, it panics.

use std::io;
use std::process::ExitCode;

use framing_mistakes::Right;
use framing_mistakes::server::{self, Server};

struct Unwrapping;

impl Server<Right> for Unwrapping {
    fn fails(&self, error: io::Error) -> ExitCode {
        panic!("bind: {error:?}")
    }
}

fn main() -> ExitCode {
    server::main(Unwrapping)
}
