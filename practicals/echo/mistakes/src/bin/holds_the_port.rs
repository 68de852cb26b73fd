//! Does not set SO_REUSEADDR. When the server is stopped and started again, its old connections
//! still hold the port, and it cannot bind it for a minute or so. The student made the socket step
//! by step, as the handout has it, and left out a step that does not show until the second start.
//! (`TcpListener::bind` sets the option by itself on Unix.)

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

use socket2::{Domain, Socket, Type};

fn main() -> ExitCode {
    let Some((host, port)) = arguments() else {
        eprintln!("usage: echo_server [HOST [PORT]]");
        return ExitCode::from(2);
    };
    match listen(&host, port) {
        Ok(listener) => serve(&listener),
        Err(error) => {
            eprintln!("cannot listen on {host}:{port}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn listen(host: &str, port: u16) -> io::Result<TcpListener> {
    let mut addresses = (host, port).to_socket_addrs()?;
    let address = addresses
        .find(SocketAddr::is_ipv4)
        .ok_or_else(|| io::Error::other("no IPv4 address"))?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    Ok(socket.into())
}

fn serve(listener: &TcpListener) -> ! {
    loop {
        match listener.accept() {
            Ok((client, _)) => drop(thread::Builder::new().spawn(move || echo(client))),
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
