//! Counts its clients, and closes the connection of the hundred and first at once. The student
//! feared for the memory of the machine, and took the number from nowhere.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, thread};

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

const MOST: usize = 100;

static PRESENT: AtomicUsize = AtomicUsize::new(0);

fn serve(listener: &TcpListener) -> ! {
    loop {
        match listener.accept() {
            Ok((_, peer)) if PRESENT.load(Ordering::Relaxed) >= MOST => {
                eprintln!("too many clients: {peer} is turned away");
            }
            Ok((client, _)) => {
                PRESENT.fetch_add(1, Ordering::Relaxed);
                drop(thread::Builder::new().spawn(move || converse(client)));
            }
            Err(error) => pause_after(&error),
        }
    }
}

/// Most often no descriptor is free, and the next attempt would fail as fast.
fn pause_after(error: &io::Error) {
    eprintln!("cannot accept a client: {error}");
    thread::sleep(Duration::from_millis(100));
}

fn converse(client: TcpStream) {
    if let Err(error) = echo(client) {
        eprintln!("a client is lost: {error}");
    }
    PRESENT.fetch_sub(1, Ordering::Relaxed);
}

fn echo(mut client: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        client.write_all(&buffer[..count])?;
    }
}

fn arguments() -> Option<(String, u16)> {
    let mut words = env::args().skip(1);
    let host = words.next().unwrap_or_else(|| "127.0.0.1".to_owned());
    let port = words
        .next()
        .unwrap_or_else(|| "65432".to_owned())
        .parse()
        .ok()?;
    words.next().is_none().then_some((host, port))
}
