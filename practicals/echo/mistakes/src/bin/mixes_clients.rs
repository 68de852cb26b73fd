//! Has one buffer for all clients. Each read into it and each copy out of it holds the lock, but
//! between the two another client's bytes may replace the first client's. The student wanted to
//! save memory, never holds the lock while a write waits for a slow client, and tried one client
//! after another.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use echo_mistakes::server::{self, Server};

const SIZE: usize = 8 * 1024;

/// The bytes of the last read, from any client.
static BUFFER: Mutex<[u8; SIZE]> = Mutex::new([0; SIZE]);

struct SharedBuffer;

impl Server for SharedBuffer {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        loop {
            client.peek(&mut [0])?; // waits here, so that the read under the lock does not
            let count = client.read(&mut *BUFFER.lock().unwrap_or_else(PoisonError::into_inner))?;
            if count == 0 {
                return Ok(());
            }
            if count < SIZE {
                thread::sleep(Duration::from_millis(2)); // lets other threads run
            }
            let reply = BUFFER.lock().unwrap_or_else(PoisonError::into_inner)[..count].to_vec();
            client.write_all(&reply)?;
        }
    }
}

fn main() -> ExitCode {
    server::main(&SharedBuffer)
}
