//! Right, and odd: it pauses for 200 ms before it sends, before it reads and before it closes. A
//! student writes that to watch each step in the server's log.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(200);

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
    thread::sleep(PAUSE);
    thread::scope(|scope| {
        // What goes wrong here shows in the reply, which is not whole then.
        scope.spawn(|| (&server).write_all(message));

        thread::sleep(PAUSE);
        let mut reply = vec![0; message.len()];
        let read = (&server).read_exact(&mut reply);
        thread::sleep(PAUSE);
        let _ = server.shutdown(Shutdown::Both); // wakes a sender that nobody listens to any more
        read.map(|()| reply)
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
