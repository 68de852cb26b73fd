//! Takes the end of the stream for the end of the reply, however much of it has come: prints that,
//! and all is well. Errors it reports; that something is missing is none.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some((host, port, message)) = arguments() else {
        eprintln!("usage: echo_client HOST PORT [MESSAGE]");
        return ExitCode::from(2);
    };
    match run(&host, port, message) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("no whole reply from {host}:{port}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(host: &str, port: u16, message: Option<Vec<u8>>) -> io::Result<()> {
    let mut server = TcpStream::connect((host, port))?;
    let message = message.map_or_else(line_from_stdin, Ok)?;
    server.write_all(&message)?;
    let mut reply = Vec::new();
    server.take(message.len() as u64).read_to_end(&mut reply)?;
    print(&reply)
}

fn print(reply: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(reply)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
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
