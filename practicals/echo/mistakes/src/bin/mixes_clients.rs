//! Has one buffer for all clients. Each read goes into it under a lock, and so does each reply come
//! out of it, but between the two the lock is free, and another client's bytes may take the place
//! of the first one's. The student wanted to save memory, took care never to hold the lock while a
//! slow client keeps a write waiting, and tried it with clients in turn.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{env, thread};

const SIZE: usize = 8 * 1024;

/// What was read last, by whichever thread.
static BUFFER: Mutex<[u8; SIZE]> = Mutex::new([0; SIZE]);

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
            Ok((client, _)) => drop(thread::Builder::new().spawn(move || echo(client))),
            Err(error) => pause_after(&error),
        }
    }
}

/// Most often no descriptor is free, and the next attempt would fail as fast.
fn pause_after(error: &io::Error) {
    eprintln!("cannot accept a client: {error}");
    thread::sleep(Duration::from_millis(100));
}

fn echo(mut client: TcpStream) -> io::Result<()> {
    loop {
        client.peek(&mut [0])?; // waits here, so that the read under the lock does not
        let count = client.read(&mut *BUFFER.lock().unwrap_or_else(PoisonError::into_inner))?;
        if count == 0 {
            return Ok(());
        }
        if count < SIZE {
            thread::sleep(Duration::from_millis(2)); // the end of a message: the other threads have their turn
        }
        let reply = BUFFER.lock().unwrap_or_else(PoisonError::into_inner)[..count].to_vec();
        client.write_all(&reply)?;
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
