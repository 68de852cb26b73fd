//! Keeps the length in one byte, since messages are short: the high byte of the header is lost.

use std::io;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct Byte;

impl Framing for Byte {
    fn length(&self, header: [u8; 2]) -> io::Result<usize> {
        Ok(usize::from(u16::from_be_bytes(header) as u8))
    }
}

fn main() -> ExitCode {
    server::main::<Byte>(Plain)
}
