//! Prints its errors on stderr, but exits with status 0.

use std::io;
use std::process::ExitCode;

use framing_mistakes::Right;
use framing_mistakes::client::{self, Client};

struct Cheerful;

impl Client for Cheerful {
    fn fails(&self, error: io::Error) -> ExitCode {
        eprintln!("no whole reply: {error}");
        ExitCode::SUCCESS
    }
}

fn main() -> ExitCode {
    client::main(Cheerful, Right)
}
