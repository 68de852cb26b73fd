//! An echo server that writes once and does not ask how much was taken. Its writes do not block, so
//! that a slow reader cannot hold up a thread; what does not fit into the socket's buffer is lost.
//! As long as messages are small, everything fits.
//!
//! The send buffer has a size of its own only so that the same is lost on every machine: 100 KB
//! always fit, and 8 MiB never do.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

use socket2::SockRef;

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
    SockRef::from(&client).set_send_buffer_size(128 * 1024)?;
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        client.set_nonblocking(true)?;
        write_once(&mut client, &buffer[..count]);
        client.set_nonblocking(false)?;
    }
}

#[allow(clippy::unused_io_amount, reason = "this is the mistake")]
fn write_once(client: &mut TcpStream, message: &[u8]) {
    if let Err(error) = client.write(message) {
        eprintln!("not sent: {error}");
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
