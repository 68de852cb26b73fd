//! Correct, but odd: collects bytes until 10 ms of silence, or until it has 64 KiB, and then
//! answers. A student writes this to get whole messages out of a stream. A reply may begin up to a
//! second late, so this is slow, but correct.

use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use echo_mistakes::server::{self, Server};

const SILENCE: Duration = Duration::from_millis(10);

struct Collecting;

impl Server for Collecting {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        let mut count = 0;
        loop {
            // As long as nothing is collected, the client may be silent.
            client.set_read_timeout(Some(SILENCE).filter(|_| count > 0))?;
            let ended = match client.read(&mut buffer[count..]) {
                Ok(0) => true,
                Ok(more) => {
                    count += more;
                    if count < buffer.len() {
                        continue;
                    }
                    false
                }
                Err(error) if matches!(error.kind(), WouldBlock | TimedOut) => false,
                Err(error) if error.kind() == Interrupted => continue,
                Err(error) => return Err(error),
            };
            client.write_all(&buffer[..count])?;
            count = 0;
            if ended {
                return Ok(());
            }
        }
    }
}

fn main() -> ExitCode {
    server::main(&Collecting)
}
