//! Correct, but unusual: it sleeps for 20 ms before it replies.

use std::io;
use std::io::Write;
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct Slow;

impl Framing for Slow {
    fn send(&mut self, stream: &mut TcpStream, text: &str) -> io::Result<()> {
        thread::sleep(Duration::from_millis(20));
        let header = self.header(text);
        stream.write_all(&[&header, text.as_bytes()].concat())
    }
}

fn main() -> ExitCode {
    server::main::<Slow>(Plain)
}
