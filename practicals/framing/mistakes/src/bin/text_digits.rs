//! Writes and reads the length as two digits of text. Any other byte is an error.

use std::io;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct Digits;

impl Framing for Digits {
    fn header(&self, text: &str) -> Vec<u8> {
        format!("{:02}", text.len()).into_bytes()
    }

    fn length(&self, header: [u8; 2]) -> io::Result<usize> {
        let digits = String::from_utf8_lossy(&header).into_owned();
        digits.parse().map_err(io::Error::other)
    }
}

fn main() -> ExitCode {
    server::main::<Digits>(Plain)
}
