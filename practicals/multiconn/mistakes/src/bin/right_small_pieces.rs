//! Correct, but unusual: each turn reads at most 200 bytes and writes 99. That is slow, but the
//! turns of all clients are short.

use std::io::{self, Write};
use std::process::ExitCode;

use multiconn_mistakes::is_for_later;

use multiconn_mistakes::server::{self, Client, Server};

struct Pieces;

impl Server for Pieces {
    fn buffer(&self) -> usize {
        200
    }

    fn write(&mut self, client: &mut Client) -> io::Result<()> {
        let piece: Vec<u8> = client.owed.iter().take(99).copied().collect();
        match client.stream.write(&piece) {
            Ok(0) => return Ok(()),
            Ok(count) => drop(client.owed.drain(..count)),
            Err(error) if is_for_later(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
        client.last_moved = std::time::Instant::now();
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(Pieces)
}
