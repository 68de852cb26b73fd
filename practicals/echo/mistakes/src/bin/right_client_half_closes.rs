//! Right, and odd: it ends its side of the stream after its message, reads to the end of the other
//! side, and counts then. A student writes that who looks for a sign of the end, and has found one
//! that TCP really has.

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
    thread::scope(|scope| {
        // What goes wrong here shows in the reply, which is not whole then.
        scope.spawn(|| {
            (&server)
                .write_all(message)
                .and_then(|()| server.shutdown(Shutdown::Write))
        });

        let mut reply = Vec::new();
        let read = (&server).read_to_end(&mut reply);
        let _ = server.shutdown(Shutdown::Both); // wakes a sender that nobody listens to any more
        read?;
        if reply.len() != message.len() {
            return Err(io::Error::other(format!(
                "{} bytes came for {}",
                reply.len(),
                message.len()
            )));
        }
        Ok(reply)
    })
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
