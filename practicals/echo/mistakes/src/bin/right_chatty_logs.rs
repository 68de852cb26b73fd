//! Right, and odd: it logs several kilobytes for each piece that it receives, on stdout and on
//! stderr. A student who has looked for a bug for an evening, and prints everything that there is,
//! leaves it so.

use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

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
    let mut buffer = [0; 8 * 1024];
    loop {
        let count = client.read(&mut buffer)?;
        chat(&buffer[..count]);
        if count == 0 {
            return Ok(());
        }
        client.write_all(&buffer[..count])?;
    }
}

/// The bytes as numbers, and a ruler to count them with; a log that nobody reads is no reason to
/// stop.
fn chat(bytes: &[u8]) {
    let numbers: Vec<String> = bytes
        .iter()
        .take(1000)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let ruler = "----+----|".repeat(300);
    let lines = format!(
        "received {} bytes: {}\n{ruler}\n",
        bytes.len(),
        numbers.join(" ")
    );
    let _ = io::stdout().write_all(lines.as_bytes());
    let _ = io::stderr().write_all(lines.as_bytes());
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
