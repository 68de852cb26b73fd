//! A correct client, in steps.

use std::ffi::OsString;
use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
use std::{env, thread};

pub const USAGE: &str = "usage: echo_client HOST PORT [MESSAGE]";

/// The steps of a client. Each default is correct.
pub trait Client {
    /// Reads the message from stdin: one line, without its line end.
    fn line(&self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        io::stdin().lock().read_until(b'\n', &mut line)?;
        if line.pop_if(|byte| *byte == b'\n').is_some() {
            line.pop_if(|byte| *byte == b'\r');
        }
        Ok(line)
    }

    /// Sends the message and returns the reply.
    fn exchange(&self, mut server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        server.write_all(message)?;
        let mut reply = vec![0; message.len()];
        server.read_exact(&mut reply)?;
        Ok(reply)
    }

    fn print(&self, reply: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(reply)?;
        stdout.write_all(b"\n")?;
        stdout.flush()
    }

    /// Reports that there is no whole reply.
    fn fails(&self, problem: &str) -> ExitCode {
        eprintln!("{problem}");
        ExitCode::FAILURE
    }
}

/// Runs the program.
pub fn main(client: impl Client) -> ExitCode {
    let Some((host, port, message)) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&client, &host, port, message) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => client.fails(&format!("no whole reply from {host}:{port}: {error}")),
    }
}

fn run(client: &impl Client, host: &str, port: u16, message: Option<Vec<u8>>) -> io::Result<()> {
    let server = TcpStream::connect((host, port))?;
    let message = message.map_or_else(|| client.line(), Ok)?;
    let reply = client.exchange(&server, &message)?;
    client.print(&reply)
}

/// Sends in a second thread, because a message may be larger than all the buffers on the way. An
/// error of `send` makes the reply incomplete, so it needs no separate report.
pub fn send_while<T>(
    server: &TcpStream,
    send: impl FnOnce(&TcpStream) -> io::Result<()> + Send,
    receive: impl FnOnce(&TcpStream) -> T,
) -> T {
    thread::scope(|scope| {
        scope.spawn(|| send(server));
        let received = receive(server);
        let _ = server.shutdown(Shutdown::Both); // wakes a sender that still waits
        received
    })
}

fn arguments() -> Option<(String, u16, Option<Vec<u8>>)> {
    let mut words = env::args_os().skip(1);
    let host = words.next()?.into_string().ok()?;
    let port = words.next()?.into_string().ok()?.parse().ok()?;
    let message = words.next().map(OsString::into_encoded_bytes);
    words.next().is_none().then_some((host, port, message))
}
