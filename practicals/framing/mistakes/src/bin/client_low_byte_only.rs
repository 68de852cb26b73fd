//! Keeps the length in one byte: the high byte of the header is always 0.

use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::client::{self, Plain};

struct Byte;

impl Framing for Byte {
    fn header(&self, text: &str) -> Vec<u8> {
        vec![0, text.len() as u8]
    }
}

fn main() -> ExitCode {
    client::main(Plain, Byte)
}
