//! Right, and odd: it asks the listening socket again and again whether a client is there, and
//! sleeps for 20 ms when none is. A student writes that to be able to stop the loop; fifty
//! questions a second are no busy loop.

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

fn serve(listener: &TcpListener) -> ExitCode {
    if let Err(error) = listener.set_nonblocking(true) {
        eprintln!("cannot ask the listening socket without waiting: {error}");
        return ExitCode::FAILURE;
    }
    loop {
        while let Ok((client, _)) = listener.accept() {
            let _ = thread::Builder::new().spawn(move || echo(client));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn echo(mut client: TcpStream) -> io::Result<()> {
    client.set_nonblocking(false)?; // on some systems it comes as the listening socket is
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
