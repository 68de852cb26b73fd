//! Right, and odd: it says that it will send no more, and counts all the same.

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
