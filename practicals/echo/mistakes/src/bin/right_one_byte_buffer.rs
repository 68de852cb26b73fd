//! Right, and odd: its buffer holds one byte, so that it reads and writes one byte at a time. A
//! student writes that to be sure that no message is ever too long for it, or after a first program
//! that worked on characters. Where megabytes come, it goes on with buffers, still a byte at a
//! time: everybody's patience ends somewhere.

use std::env;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// So many bytes of a conversation go one by one.
const UNBUFFERED: usize = 256 * 1024;

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
    let mut byte = [0];
    for _ in 0..UNBUFFERED {
        if client.read(&mut byte)? == 0 {
            return Ok(());
        }
        client.write_all(&byte)?;
    }
    let (mut reader, mut writer) = (BufReader::new(&client), BufWriter::new(&client));
    while reader.read(&mut byte)? == 1 {
        writer.write_all(&byte)?;
        if reader.buffer().is_empty() {
            writer.flush()?;
        }
    }
    Ok(())
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
