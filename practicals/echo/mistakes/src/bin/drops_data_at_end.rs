//! Forgets what a client is still owed when the client half-closes. One thread reads into a queue,
//! another writes from it; at the end of the stream the reader takes the client for gone and shuts
//! the connection down, whatever is in the queue.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use std::{env, thread};

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
            Ok((client, _)) => drop(start_conversation(client)),
            Err(error) => pause_after(&error),
        }
    }
}

fn start_conversation(client: TcpStream) -> io::Result<()> {
    let (queue, pieces) = channel();
    let writing = client.try_clone()?;
    thread::Builder::new().spawn(move || write_from(&pieces, writing))?;
    thread::Builder::new().spawn(move || {
        let ended = read_into(&queue, &client);
        _ = client.shutdown(Shutdown::Both); // it has gone, so the writer may stop
        ended
    })?;
    Ok(())
}

/// Most often no descriptor is free, and the next attempt would fail as fast.
fn pause_after(error: &io::Error) {
    eprintln!("cannot accept a client: {error}");
    thread::sleep(Duration::from_millis(100));
}

fn read_into(queue: &Sender<Vec<u8>>, mut client: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 8 * 1024];
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 || queue.send(buffer[..count].to_vec()).is_err() {
            return Ok(());
        }
    }
}

fn write_from(pieces: &Receiver<Vec<u8>>, mut client: TcpStream) -> io::Result<()> {
    pieces.iter().try_for_each(|piece| client.write_all(&piece))
}

fn arguments() -> Option<(String, u16)> {
    let mut words = env::args().skip(1);
    let host = words.next().unwrap_or_else(|| "127.0.0.1".to_owned());
    let port = words
        .next()
        .unwrap_or_else(|| "65432".to_owned())
        .parse()
        .ok()?;
    words.next().is_none().then_some((host, port))
}
