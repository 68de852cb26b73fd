//! Prints its whole buffer, which is longer than the reply: NUL bytes follow, and a terminal does not
//! show them.

use std::io::{self, Write};
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct Careless;

impl Client for Careless {
    fn print(&self, reply: &[u8]) -> io::Result<()> {
        let mut buffer = vec![0; reply.len().max(1024)];
        buffer[..reply.len()].copy_from_slice(reply);
        buffer.push(b'\n');
        io::stdout().lock().write_all(&buffer)
    }
}

fn main() -> ExitCode {
    client::main(Careless)
}
