//! An echo server that binds its address and never listens on it, so nobody can connect. In C and
//! Python these are two calls, and here too once the socket is made step by step; that the port is
//! taken after the first looks like enough. The accept that follows fails at once.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::{env, thread};

use socket2::{Domain, Socket, Type};

fn main() -> ExitCode {
    let Some((host, port)) = arguments() else {
        eprintln!("usage: echo_server [HOST [PORT]]");
        return ExitCode::from(2);
    };
    match bind(&host, port).and_then(|socket| serve(&socket)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot serve on {host}:{port}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Steps 1 and 2. Step 3, `socket.listen(128)`, is missing.
fn bind(host: &str, port: u16) -> io::Result<Socket> {
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let address = (host, port)
        .to_socket_addrs()?
        .find(SocketAddr::is_ipv4)
        .unwrap_or(local);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(cfg!(unix))?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn serve(socket: &Socket) -> io::Result<()> {
    loop {
        let (client, _) = socket.accept()?;
        thread::spawn(move || echo(client.into()));
    }
}

fn echo(mut client: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match client.read(&mut buffer)? {
            0 => return Ok(()),
            count => client.write_all(&buffer[..count])?,
        }
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
    Some((host, port))
}
