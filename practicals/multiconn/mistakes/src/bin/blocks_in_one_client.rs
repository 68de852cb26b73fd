//! Writes until everything is written, and waits a little if the socket takes nothing. It has only
//! one thread, so while one client does not read, all the others wait, too.

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use multiconn_mistakes::is_for_later;

use multiconn_mistakes::server::{self, Client, Server};

struct Insistent;

impl Server for Insistent {
    fn write(&mut self, client: &mut Client) -> io::Result<()> {
        while !client.owed.is_empty() {
            match client.stream.write(client.owed.as_slices().0) {
                Ok(count) => drop(client.owed.drain(..count)),
                Err(error) if is_for_later(&error) => thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(Insistent)
}
