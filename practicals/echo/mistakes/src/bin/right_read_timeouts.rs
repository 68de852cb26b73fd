//! Correct, but odd: lets its reads time out after 100 ms, and reads again. The student does not
//! trust a call that may wait for ever, or wants to check a flag now and then. Ten wake-ups a
//! second cost almost nothing.

use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use echo_mistakes::server::{self, Server};

struct TimingOut;

impl Server for TimingOut {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        client.set_read_timeout(Some(Duration::from_millis(100)))?;
        let mut buffer = [0; 8 * 1024];
        loop {
            match client.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => client.write_all(&buffer[..count])?,
                Err(error) if matches!(error.kind(), WouldBlock | TimedOut | Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn main() -> ExitCode {
    server::main(&TimingOut)
}
