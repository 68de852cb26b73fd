//! Unwraps the result of binding, and so panics if the address is in use.

use std::io;
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Server};

struct Unwrapping;

impl Server for Unwrapping {
    fn fails(&self, error: io::Error) -> ExitCode {
        panic!("bind: {error:?}")
    }
}

fn main() -> ExitCode {
    server::main(Unwrapping)
}
