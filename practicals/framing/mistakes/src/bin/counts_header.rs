//! Counts the header as part of the length: a length of 12 means 10 bytes of text.

use std::io;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct Inclusive;

impl Framing for Inclusive {
    fn header(&self, text: &str) -> Vec<u8> {
        (text.len() as u16 + 2).to_be_bytes().to_vec()
    }

    fn length(&self, header: [u8; 2]) -> io::Result<usize> {
        Ok(usize::from(u16::from_be_bytes(header)).saturating_sub(2))
    }
}

fn main() -> ExitCode {
    server::main::<Inclusive>(Plain)
}
