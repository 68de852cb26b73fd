//! Makes 16 bits of the length, whatever it is: of 65,536 nothing is left, and the body follows all
//! the same.

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
