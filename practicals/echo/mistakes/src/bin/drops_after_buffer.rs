//! An echo server that answers with what fits into its buffer and throws the rest of a longer
//! message away. "A message has at most 1024 bytes"; what is left of a longer one would be taken
//! for the next, so the student clears it out, and the conversation stays in step.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
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
        let Ok((client, peer)) = listener.accept() else {
            thread::sleep(Duration::from_millis(100)); // most often no descriptor is free
            continue;
        };
        thread::spawn(move || {
            if let Err(error) = echo(client) {
                eprintln!("{peer} is lost: {error}");
            }
        });
    }
}

fn echo(mut client: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        if count == buffer.len() {
            throw_away_the_rest(&mut client)?;
        }
        client.write_all(&buffer[..count])?;
    }
}

/// Before the reply: what is there now belongs to this message, since nobody sends the next one
/// yet.
fn throw_away_the_rest(client: &mut TcpStream) -> io::Result<()> {
    let mut rest = [0; 1024];
    client.set_nonblocking(true)?;
    while matches!(client.read(&mut rest), Ok(1..)) {}
    client.set_nonblocking(false)
}

fn arguments() -> Option<(String, u16)> {
    let mut words = env::args().skip(1);
    let host = words.next().unwrap_or_else(|| "127.0.0.1".to_owned());
    let port = words
        .next()
        .unwrap_or_else(|| "65432".to_owned())
        .parse()
        .ok()?;
    Some((host, port))
}
