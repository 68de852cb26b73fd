//! Ends when a client closes without having said anything. The student reads the first message
//! before the loop, and calls a function like C's `error(1, ...)` where there is none: that ends
//! the process, not only this conversation.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{self, ExitCode};
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
    let mut buffer = [0; 8 * 1024];
    let mut count = client.read(&mut buffer)?;
    if count == 0 {
        die("no message received");
    }
    while count > 0 {
        client.write_all(&buffer[..count])?;
        count = client.read(&mut buffer)?;
    }
    Ok(())
}

fn die(message: &str) -> ! {
    eprintln!("error: {message}");
    process::exit(1)
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
