//! Correct, but odd: thinks for 300 ms before it answers a client that has just come or has paused.
//! A server that wakes a sleeping helper does the same. It echoes a stream without a pause. It does
//! not think while many clients are there, because 500 clients one after another would wait for
//! minutes.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use echo_mistakes::server::{self, Server};

/// A client that is silent for longer than this has paused.
const PAUSE: Duration = Duration::from_millis(100);

/// With this number of clients the server does not think.
const CROWD: usize = 20;

static CLIENTS: AtomicUsize = AtomicUsize::new(0);

struct Thoughtful;

impl Server for Thoughtful {
    fn converse(&self, client: &TcpStream) -> io::Result<()> {
        let crowd = CLIENTS.fetch_add(1, Relaxed) >= CROWD;
        let outcome = echo(client, crowd);
        CLIENTS.fetch_sub(1, Relaxed);
        outcome
    }
}

fn main() -> ExitCode {
    server::main(&Thoughtful)
}

fn echo(mut client: &TcpStream, crowd: bool) -> io::Result<()> {
    let mut buffer = [0; 64 * 1024];
    let mut is_first = true;
    loop {
        let began = Instant::now();
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        if !crowd && (is_first || began.elapsed() > PAUSE) {
            thread::sleep(Duration::from_millis(300));
        }
        is_first = false;
        client.write_all(&buffer[..count])?;
    }
}
