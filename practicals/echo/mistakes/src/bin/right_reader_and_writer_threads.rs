//! Right, and odd: two threads for each client, one that reads and one that writes, with a bounded
//! channel between them. A student who has just heard of channels writes that; the bound keeps a
//! client that never reads from filling the memory.

use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
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

/// Reads; the other thread writes. The socket closes when both are done with it.
fn echo(client: TcpStream) -> io::Result<()> {
    let (sender, receiver) = sync_channel::<Vec<u8>>(16);
    let reader = Arc::new(client);
    let writer = reader.clone();
    thread::Builder::new().spawn(move || {
        receiver
            .iter()
            .try_for_each(|bytes| (&*writer).write_all(&bytes))
    })?;

    let mut buffer = [0; 16 * 1024];
    loop {
        let count = (&*reader).read(&mut buffer)?;
        // A writer that has failed, and is gone, takes nothing any more.
        if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
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
