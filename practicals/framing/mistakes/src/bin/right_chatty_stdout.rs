//! Correct, but unusual: it logs every message on stdout, many times.

use std::io;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct Chatty;

impl Framing for Chatty {
    fn text(&self, body: Vec<u8>) -> io::Result<String> {
        for _ in 0..10 {
            println!(
                "a body of {} bytes: {:?}",
                body.len(),
                &body[..body.len().min(100)]
            );
        }
        String::from_utf8(body).map_err(io::Error::other)
    }
}

fn main() -> ExitCode {
    server::main::<Chatty>(Plain)
}
