//! Right, and odd: it thinks for 300 ms before it answers a client that has paused, or has just
//! come. A student's server that wakes a sleeping helper does the same. A stream it echoes without
//! a pause, and in a crowd it does not think at all: five hundred clients one after another would
//! wait for minutes.

use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A client that is silent for longer than this has paused.
const PAUSE: Duration = Duration::from_millis(100);

/// With so many clients there is no time to think.
const CROWD: usize = 20;

fn main() -> ExitCode {
    let Some((host, port)) = arguments() else {
        eprintln!("usage: echo_server [HOST [PORT]]");
        return ExitCode::from(2);
    };
    match TcpListener::bind((host.as_str(), port)) {
        Ok(listener) => serve(&listener),
        Err(error) => {
            eprintln!("cannot listen on {host}:{port}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(listener: &TcpListener) -> ! {
    loop {
        match listener.accept() {
            Ok((client, _)) => _ = thread::Builder::new().spawn(move || echo(client)),
            // Most often no descriptor is free, and the next attempt would fail as fast.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

static CLIENTS: AtomicUsize = AtomicUsize::new(0);

fn echo(client: TcpStream) -> io::Result<()> {
    let crowd = CLIENTS.fetch_add(1, Ordering::Relaxed) >= CROWD;
    let outcome = converse(client, crowd);
    CLIENTS.fetch_sub(1, Ordering::Relaxed);
    outcome
}

fn converse(mut client: TcpStream, crowd: bool) -> io::Result<()> {
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

fn arguments() -> Option<(String, u16)> {
    let mut words = env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned());
    let host = words.next().unwrap_or_else(|| "127.0.0.1".into());
    let port = words
        .next()
        .unwrap_or_else(|| "65432".into())
        .parse()
        .ok()?;
    words.next().is_none().then_some((host, port))
}
