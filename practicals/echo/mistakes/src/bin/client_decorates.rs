//! Prints a word before the reply. This is kind to a person at the terminal, but a script that
//! reads the output gets more than the reply.

use std::io::{self, Write};
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct Friendly;

impl Client for Friendly {
    fn print(&self, reply: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(b"Received: ")?;
        stdout.write_all(reply)?;
        stdout.write_all(b"\n")?;
        stdout.flush()
    }
}

fn main() -> ExitCode {
    client::main(Friendly)
}
