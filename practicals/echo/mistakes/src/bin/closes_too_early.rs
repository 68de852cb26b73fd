//! Gives up on a client that is slow to take its bytes. Who has taken none for a while is marked as
//! stalled, and the next newcomer has the server clear the stalled ones away, with part of their
//! echo unsent. The student saw that a client that never reads keeps a thread for ever, and could
//! not tell it from one that is only late.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;
use std::{env, thread};

struct Client {
    stream: TcpStream,
    stalled: AtomicBool,
}

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
    let mut clients: Vec<Weak<Client>> = Vec::new();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                clients.retain(|client| {
                    client
                        .upgrade()
                        .is_some_and(|client| !is_cleared_away(&client))
                });
                let client = Arc::new(Client {
                    stream,
                    stalled: AtomicBool::new(false),
                });
                clients.push(Arc::downgrade(&client));
                drop(thread::Builder::new().spawn(move || echo(&client)));
            }
            Err(error) => pause_after(&error),
        }
    }
}

fn is_cleared_away(client: &Client) -> bool {
    let stalled = client.stalled.load(Relaxed);
    if stalled {
        _ = client.stream.shutdown(Shutdown::Both);
    }
    stalled
}

/// Most often no descriptor is free, and the next attempt would fail as fast.
fn pause_after(error: &io::Error) {
    eprintln!("cannot accept a client: {error}");
    thread::sleep(Duration::from_millis(100));
}

fn echo(client: &Client) -> io::Result<()> {
    client
        .stream
        .set_write_timeout(Some(Duration::from_millis(100)))?;
    let mut buffer = [0; 8 * 1024];
    loop {
        let count = (&client.stream).read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        send(client, &buffer[..count])?;
    }
}

fn send(client: &Client, mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match (&client.stream).write(rest) {
            Ok(count) => rest = &rest[count..],
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                client.stalled.store(true, Relaxed);
                continue;
            }
            Err(error) => return Err(error),
        }
        client.stalled.store(false, Relaxed);
    }
    Ok(())
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
