//! Sends a typed line with its line end, because reading a line keeps it. A message on the command
//! line works, and that is how the student tries the client.

use std::io::{self, BufRead};
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct Typed;

impl Client for Typed {
    fn line(&self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        io::stdin().lock().read_until(b'\n', &mut line)?;
        Ok(line)
    }
}

fn main() -> ExitCode {
    client::main(Typed)
}
