//! Logs the first byte of the body, and so panics if the body is empty.

use std::io;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct Curious;

impl Framing for Curious {
    fn text(&self, body: Vec<u8>) -> io::Result<String> {
        println!("a message that begins with {}", body[0]);
        String::from_utf8(body).map_err(io::Error::other)
    }
}

fn main() -> ExitCode {
    server::main::<Curious>(Plain)
}
