//! Converts every body to text: it replaces bytes that are not UTF-8 by U+FFFD, and sends that
//! back.

use std::io;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct Lossy;

impl Framing for Lossy {
    fn text(&self, body: Vec<u8>) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

fn main() -> ExitCode {
    server::main::<Lossy>(Plain)
}
