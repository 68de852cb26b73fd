//! Sends a typed line with its line end.

use std::process::ExitCode;

use framing_mistakes::Right;
use framing_mistakes::client::{self, Client};

struct Typist;

impl Client for Typist {
    fn line(&self, line: &str) -> String {
        line.to_owned()
    }
}

fn main() -> ExitCode {
    client::main(Typist, Right)
}
