//! Writes the number of characters into the header. For ASCII text that is the number of bytes.

use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct Characters;

impl Framing for Characters {
    fn header(&self, text: &str) -> Vec<u8> {
        (text.chars().count() as u16).to_be_bytes().to_vec()
    }
}

fn main() -> ExitCode {
    server::main::<Characters>(Plain)
}
