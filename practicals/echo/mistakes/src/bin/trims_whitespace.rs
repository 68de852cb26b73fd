//! An echo server that trims what it received. Typed messages come with a newline, which looks ugly
//! in the log; trimming it away is one word, and takes blanks and line ends that belong to the
//! message.

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
        match client.read(&mut buffer)? {
            0 => return Ok(()),
            count => client.write_all(buffer[..count].trim_ascii())?,
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
