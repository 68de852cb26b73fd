//! Serves one client, and ends when that client has gone. The student took "accept a client, echo,
//! close" for the whole program: the listening socket goes out of scope in the function that
//! accepts, and nothing comes back for the next one.

use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some((host, port)) = arguments() else {
        eprintln!("usage: echo_server [HOST [PORT]]");
        return ExitCode::from(2);
    };
    match wait_for_client(&host, port) {
        Ok(client) => {
            if let Err(error) = echo(client) {
                eprintln!("the client is lost: {error}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cannot listen on {host}:{port}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The listening socket is closed at the end of this function: nobody else can connect.
fn wait_for_client(host: &str, port: u16) -> io::Result<TcpStream> {
    let listener = TcpListener::bind((host, port))?;
    let (client, _) = listener.accept()?;
    Ok(client)
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
