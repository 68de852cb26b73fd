//! Prints the reply where its log goes, on stderr. On a terminal that looks the same.

use std::io::{self, Write};
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct Logging;

impl Client for Logging {
    fn print(&self, reply: &[u8]) -> io::Result<()> {
        let mut stderr = io::stderr().lock();
        stderr.write_all(reply)?;
        stderr.write_all(b"\n")
    }
}

fn main() -> ExitCode {
    client::main(Logging)
}
