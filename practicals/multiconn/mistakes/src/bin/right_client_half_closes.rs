//! Correct, but unusual: it half-closes after sending, and still counts the reply.

use std::io;
use std::net::Shutdown;
use std::process::ExitCode;

use multiconn_mistakes::client::{self, Client, Connection};

struct HalfClosing;

impl Client for HalfClosing {
    fn all_sent(&self, connection: &Connection) -> io::Result<()> {
        connection.stream.shutdown(Shutdown::Write)
    }
}

fn main() -> ExitCode {
    client::main(HalfClosing)
}
