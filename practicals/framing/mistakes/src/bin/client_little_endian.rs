//! Writes and reads the length in the processor's own byte order: the low byte first.

use std::io;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::client::{self, Plain};

struct Little;

impl Framing for Little {
    fn header(&self, text: &str) -> Vec<u8> {
        (text.len() as u16).to_le_bytes().to_vec()
    }

    fn length(&self, header: [u8; 2]) -> io::Result<usize> {
        Ok(usize::from(u16::from_le_bytes(header)))
    }
}

fn main() -> ExitCode {
    client::main(Plain, Little)
}
