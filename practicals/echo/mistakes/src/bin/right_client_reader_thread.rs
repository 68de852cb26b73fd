//! Right, and odd: a thread reads from the beginning, while the main one writes. A student writes
//! that who has a chat in mind, where both sides speak when they like.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

fn main() -> ExitCode {
    let Some((host, port, message)) = arguments() else {
        eprintln!("usage: echo_client HOST PORT [MESSAGE]");
        return ExitCode::from(2);
    };
    match run(&host, port, message) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("no echo from {host}:{port}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(host: &str, port: u16, message: Option<Vec<u8>>) -> io::Result<()> {
    let server = TcpStream::connect((host, port))?;
    let message = message.map_or_else(line_from_stdin, Ok)?;
    let reply = exchange(server, &message)?;
    io::stdout().write_all(&[&reply, b"\n".as_slice()].concat())?;
    io::stdout().flush()
}

fn exchange(server: TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
    let (server, size) = (Arc::new(server), message.len());
    let reading = server.clone();
    let reader = thread::spawn(move || {
        let mut reply = vec![0; size];
        let read = (&*reading).read_exact(&mut reply);
        let _ = reading.shutdown(Shutdown::Both); // wakes a writer that nobody listens to any more
        read.map(|()| reply)
    });
    let written = (&*server).write_all(message);
    let reply = reader
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the reading thread panicked")))?;
    written.map(|()| reply)
}

fn line_from_stdin() -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut line)?;
    if line.pop_if(|byte| *byte == b'\n').is_some() {
        line.pop_if(|byte| *byte == b'\r');
    }
    Ok(line)
}

fn arguments() -> Option<(String, u16, Option<Vec<u8>>)> {
    let mut words = env::args_os().skip(1);
    let host = words.next()?.into_string().ok()?;
    let port = words.next()?.into_string().ok()?.parse().ok()?;
    let message = words.next().map(OsString::into_encoded_bytes);
    words.next().is_none().then_some((host, port, message))
}
