//! Correct, but odd: logs several kilobytes for each read, on stdout and on stderr. The student has
//! looked for a bug all evening, and left every print statement in.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Chatty;

impl Server for Chatty {
    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        chat(bytes);
        client.write_all(bytes)
    }
}

fn main() -> ExitCode {
    server::main(&Chatty)
}

/// Logs the bytes as numbers, with a ruler to count them. Ignores a log that cannot be written.
fn chat(bytes: &[u8]) {
    let numbers: String = bytes
        .iter()
        .take(1000)
        .map(|byte| format!("{byte:02x} "))
        .collect();
    let ruler = "----+----|".repeat(300);
    let lines = format!("received {} bytes: {numbers}\n{ruler}\n", bytes.len());
    let _ = io::stdout().write_all(lines.as_bytes());
    let _ = io::stderr().write_all(lines.as_bytes());
}
