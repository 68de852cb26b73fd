//! An echo server that takes a read shorter than its buffer for the end of the message, and answers
//! only then. This gathers long messages as it should, and makes sense as long as one believes that
//! a read is full while more is to come. A message of 1024 bytes, or any multiple, fills every
//! read: the server waits for a rest that does not exist, and the client for its reply.

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
        let mut message = Vec::new();
        let last = loop {
            let count = client.read(&mut buffer)?;
            message.extend_from_slice(&buffer[..count]);
            if count < buffer.len() {
                break count;
            }
        };
        client.write_all(&message)?;
        if last == 0 {
            return Ok(());
        }
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
    Some((host, port))
}
