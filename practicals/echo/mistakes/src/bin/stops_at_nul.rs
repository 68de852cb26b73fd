//! An echo server for which a message ends at its first NUL byte. Whoever comes from C, where
//! `strlen` measures a string, looks for the end in the buffer instead of asking what the read
//! returned.

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
        let length = buffer[..count]
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(count);
        client.write_all(&buffer[..length])?;
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
