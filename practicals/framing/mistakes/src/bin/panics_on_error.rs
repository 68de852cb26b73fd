//! Unwraps the result of binding, and so panics if the address is in use.

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
