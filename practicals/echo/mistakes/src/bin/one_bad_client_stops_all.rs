//! Stops accepting once a client has reset its connection. The student's accept loop looks after
//! the conversations that have ended, and passes their errors on with `?`: that ends the loop. The
//! process lives on, and nobody new is served.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread::JoinHandle;
use std::time::Duration;
use std::{env, thread};

fn main() -> ExitCode {
    let Some((host, port)) = arguments() else {
        eprintln!("usage: echo_server [HOST [PORT]]");
        return ExitCode::from(2);
    };
    match TcpListener::bind((host.as_str(), port)) {
        Ok(listener) => serve_in_background(listener),
        Err(error) => {
            eprintln!("cannot listen on {host}:{port}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve_in_background(listener: TcpListener) -> ! {
    let server = thread::Builder::new().spawn(move || {
        if let Err(error) = serve(&listener) {
            eprintln!("error: {error}");
        }
    });
    if let Err(error) = server {
        eprintln!("cannot start to serve: {error}");
    }
    loop {
        thread::park(); // the server runs until it is stopped from outside
    }
}

fn serve(listener: &TcpListener) -> io::Result<()> {
    let mut conversations: Vec<JoinHandle<io::Result<()>>> = Vec::new();
    loop {
        let accepted = listener.accept();
        for ended in conversations.extract_if(.., |conversation| conversation.is_finished()) {
            ended.join().unwrap_or(Ok(()))?; // one client's error is everybody's
        }
        match accepted {
            Ok((client, _)) => {
                conversations.extend(thread::Builder::new().spawn(move || echo(client)))
            }
            Err(error) => pause_after(&error),
        }
    }
}

/// Most often no descriptor is free, and the next attempt would fail as fast.
fn pause_after(error: &io::Error) {
    eprintln!("cannot accept a client: {error}");
    thread::sleep(Duration::from_millis(100));
}

fn echo(mut client: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 8 * 1024];
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        client.write_all(&buffer[..count])?;
    }
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
