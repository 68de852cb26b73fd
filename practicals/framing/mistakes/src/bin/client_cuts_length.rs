//! Cuts the length to 16 bits: for 65,536 the header says 0, and the body follows all the same.

use std::process::ExitCode;

use framing_mistakes::Right;
use framing_mistakes::client::{self, Client};

struct Careless;

impl Client for Careless {
    fn is_too_long(&self, _text: &str) -> bool {
        false
    }
}

fn main() -> ExitCode {
    client::main(Careless, Right)
}
