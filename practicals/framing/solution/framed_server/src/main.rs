//! The server for framed messages: it sends back each message that a client sends.
//!
//! ```text
//! framed_server [HOST [PORT]]          default: 127.0.0.1 65432
//! ```
//!
//! The reference solution: a thread for each client. `listen`, `serve` and `converse` are the
//! students'; the rest is as it is given to them.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

const USAGE: &str = "usage: framed_server [HOST [PORT]]          default: 127.0.0.1 65432";

fn main() -> ExitCode {
    let Some((host, port)) = arguments() else {
        complain(USAGE);
        return ExitCode::from(2);
    };
    match run(&host, port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(message);
            ExitCode::FAILURE
        }
    }
}

fn run(host: &str, port: u16) -> Result<(), String> {
    let address =
        resolve(host, port).map_err(|error| format!("cannot find the host {host}: {error}"))?;
    let listener =
        listen(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;

    log(format_args!("listening on {address}"));
    serve(&listener);
    Ok(())
}

/// Steps 1 to 3: a socket to which clients can connect.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}

/// Accepts clients, and lets each have a conversation of its own.
fn serve(listener: &TcpListener) {
    loop {
        match listener.accept() {
            Ok((client, peer)) => {
                let conversation = move || match converse(client) {
                    Ok(()) => log(format_args!("{peer} has closed")),
                    Err(error) => complain(format_args!("{peer} is lost: {error}")),
                };
                if let Err(error) = thread::Builder::new().spawn(conversation) {
                    complain(format_args!("{peer} cannot be served: {error}"));
                }
            }
            Err(error) => {
                complain(format_args!("cannot accept a client: {error}"));
                // Most often no descriptor is free, and the next attempt would fail as fast.
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// One client: each of its messages goes back, until its stream ends between two of them.
fn converse(mut client: TcpStream) -> io::Result<()> {
    while let Some(text) = framing::receive(&mut client)? {
        framing::send(&mut client, &text)?;
    }
    Ok(())
}

/// HOST is an IPv4 address or a name; a name may have other addresses besides.
fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let mut addresses = (host, port).to_socket_addrs()?;
    addresses
        .find(SocketAddr::is_ipv4)
        .ok_or_else(|| io::Error::other("it has no IPv4 address"))
}

/// HOST and PORT, or nothing where the words on the command line are none.
fn arguments() -> Option<(String, u16)> {
    let mut words = env::args_os().skip(1);
    let host = words.next().unwrap_or_else(|| "127.0.0.1".into());
    let host = host.into_string().ok()?;
    let port = words.next().unwrap_or_else(|| "65432".into());
    let port = port.into_string().ok()?.parse().ok()?;

    let is_host = !host.is_empty() && !host.starts_with('-');
    let is_all = words.next().is_none();
    (is_host && is_all).then_some((host, port))
}

/// What goes as it should: a line on stdout. That nobody reads it is no reason to stop.
fn log(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// What goes wrong, and only that: a line on stderr.
fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
