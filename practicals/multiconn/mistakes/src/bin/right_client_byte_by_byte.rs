//! Right, and odd: one byte at a time, and a line for each that comes.

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
