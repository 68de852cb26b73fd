//! Logs the reply on stderr before it prints it on stdout.

use std::io::{self, Write};
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct Logging;

impl Client for Logging {
    fn print(&self, reply: &[u8]) -> io::Result<()> {
        let line = [reply, b"\n"].concat();
        io::stderr().lock().write_all(&line)?;
        io::stdout().lock().write_all(&line)
    }
}

fn main() -> ExitCode {
    client::main(Logging)
}
