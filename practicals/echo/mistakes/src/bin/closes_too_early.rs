//! Gives up on a client that is slow to take its bytes. The server marks a client that has taken
//! none for a while as stalled. When the next client arrives, it closes the stalled ones, with part
//! of their echo unsent. The student saw that a client that never reads keeps a thread for ever,
//! and could not tell it from one that is only late.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use echo_mistakes::server::{self, Server};

struct Impatient;

struct Client {
    stream: TcpStream,
    stalled: AtomicBool,
}

static CLIENTS: Mutex<Vec<Weak<Client>>> = Mutex::new(Vec::new());

impl Server for Impatient {
    fn start(&'static self, stream: TcpStream) {
        let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|client| {
            client
                .upgrade()
                .is_some_and(|client| !client.is_cleared_away())
        });
        let client = Arc::new(Client {
            stream,
            stalled: AtomicBool::new(false),
        });
        clients.push(Arc::downgrade(&client));
        drop(thread::Builder::new().spawn(move || client.echo()));
    }
}

impl Client {
    fn is_cleared_away(&self) -> bool {
        let stalled = self.stalled.load(Relaxed);
        if stalled {
            _ = self.stream.shutdown(Shutdown::Both);
        }
        stalled
    }

    fn echo(&self) -> io::Result<()> {
        self.stream
            .set_write_timeout(Some(Duration::from_millis(100)))?;
        let mut buffer = [0; 8 * 1024];
        loop {
            match (&self.stream).read(&mut buffer)? {
                0 => return Ok(()),
                count => self.send(&buffer[..count])?,
            }
        }
    }

    fn send(&self, mut rest: &[u8]) -> io::Result<()> {
        while !rest.is_empty() {
            match (&self.stream).write(rest) {
                Ok(count) => {
                    rest = &rest[count..];
                    self.stalled.store(false, Relaxed);
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    self.stalled.store(true, Relaxed);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(&Impatient)
}
