//! Unwraps the result of parsing its arguments.

use std::process::ExitCode;

use multiconn_mistakes::client::{self, Client};

struct Unwrapping;

impl Client for Unwrapping {
    fn usage(&self) -> ExitCode {
        let word = std::env::args().nth(3).unwrap();
        panic!("{:?}", word.parse::<usize>());
    }
}

fn main() -> ExitCode {
    client::main(Unwrapping)
}
