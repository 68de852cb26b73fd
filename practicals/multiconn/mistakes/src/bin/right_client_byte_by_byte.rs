//! Correct, but unusual: it handles one byte at a time, and prints a line for each.

use std::process::ExitCode;

use multiconn_mistakes::client::{self, Client};

struct Bytes;

impl Client for Bytes {
    fn at_once(&self) -> usize {
        1
    }
}

fn main() -> ExitCode {
    client::main(Bytes)
}
