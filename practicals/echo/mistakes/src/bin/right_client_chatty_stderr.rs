//! Right, and odd: it says very much on stderr, before, while and after it talks to the server. The
//! contract leaves stderr to the program, and stdout to the reply; a student who looks for a bug
//! prints everything there.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
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

/// A thread sends, since a message may be larger than all the buffers on the way.
fn exchange(server: TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
    chat("sending", message);
    let mut reply = Vec::new();
    let read = thread::scope(|scope| {
        // What goes wrong here shows in the reply, which is not whole then.
        scope.spawn(|| (&server).write_all(message));

        let mut buffer = [0; 1024];
        while reply.len() < message.len() {
            let most = buffer.len().min(message.len() - reply.len());
            let count = (&server).read(&mut buffer[..most]).unwrap_or(0);
            chat("received", &buffer[..count]);
            reply.extend(&buffer[..count]);
            if count == 0 {
                break;
            }
        }
        server.shutdown(Shutdown::Both) // wakes a sender that nobody listens to any more
    });
    chat(&format!("closing: {read:?}"), &reply);
    if reply.len() < message.len() {
        return Err(io::Error::other(format!(
            "only {} of {} bytes came",
            reply.len(),
            message.len()
        )));
    }
    Ok(reply)
}

/// The bytes as text and as numbers, and a ruler to count them with.
fn chat(what: &str, bytes: &[u8]) {
    let ruler = "----+----|".repeat(1000);
    let _ = writeln!(
        io::stderr(),
        "{what} {} bytes\n{}\n{bytes:?}\n{ruler}",
        bytes.len(),
        bytes.escape_ascii()
    );
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
