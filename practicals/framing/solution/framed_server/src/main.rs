//! The server for framed messages: it sends back each message that a client sends.
//!
//! ```text
//! framed_server [HOST [PORT]]          default: 127.0.0.1 65432
//! ```
//!
//! The reference solution: a thread for each client. Students write `listen`, `serve` and
//! `converse`; the rest is the same as in the skeleton.

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

/// Steps 1 to 3: returns a socket to which clients can connect.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}

/// Accepts clients, and starts a conversation with each.
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
                // Usually no descriptor is free, and the next attempt would fail at once, too.
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// Sends back each message of one client, until its stream ends between two messages.
fn converse(mut client: TcpStream) -> io::Result<()> {
    while let Some(text) = framing::receive(&mut client)? {
        framing::send(&mut client, &text)?;
    }
    Ok(())
}

/// Returns the first IPv4 address of HOST, which is an address or a name.
fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let mut addresses = (host, port).to_socket_addrs()?;
    addresses
        .find(SocketAddr::is_ipv4)
        .ok_or_else(|| io::Error::other("it has no IPv4 address"))
}

/// Returns HOST and PORT, or `None` if the arguments are unusable.
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

/// Prints a line on stdout, for what goes well. Unlike `println!`, it does not panic if stdout is
/// closed.
fn log(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints a line on stderr, for errors and nothing else.
fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
