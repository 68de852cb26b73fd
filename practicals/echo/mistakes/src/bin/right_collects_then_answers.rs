//! Right, and odd: it collects what arrives until 10 ms of silence, or until 64 KiB are there, and
//! answers then. A student writes that to get whole messages out of a stream. The contract leaves a
//! second for the reply to begin, so this is slow and not wrong.

use std::env;
use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

const SILENCE: Duration = Duration::from_millis(10);

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
        match listener.accept() {
            Ok((client, _)) => _ = thread::Builder::new().spawn(move || echo(client)),
            // Most often no descriptor is free, and the next attempt would fail as fast.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn echo(mut client: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut count = 0;
    loop {
        // Nothing is collected yet: nothing is late.
        client.set_read_timeout(Some(SILENCE).filter(|_| count > 0))?;
        let ended = match client.read(&mut buffer[count..]) {
            Ok(0) => true,
            Ok(more) => {
                count += more;
                if count < buffer.len() {
                    continue;
                }
                false
            }
            Err(error) if matches!(error.kind(), WouldBlock | TimedOut) => false,
            Err(error) if error.kind() == Interrupted => continue,
            Err(error) => return Err(error),
        };
        client.write_all(&buffer[..count])?;
        count = 0;
        if ended {
            return Ok(());
        }
    }
}

fn arguments() -> Option<(String, u16)> {
    let mut words = env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned());
    let host = words.next().unwrap_or_else(|| "127.0.0.1".into());
    let port = words
        .next()
        .unwrap_or_else(|| "65432".into())
        .parse()
        .ok()?;
    words.next().is_none().then_some((host, port))
}
