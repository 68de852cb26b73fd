//! The echo server: it sends back to each client exactly the bytes that this client sent.
//!
//! ```text
//! echo_server [HOST [PORT]]          default: 127.0.0.1 65432
//! ```
//!
//! The reference solution: a thread for each client. `listen`, `serve` and `echo` are the steps of
//! the handout; the rest is the same as in the skeleton.

use std::env;
use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

const USAGE: &str = "usage: echo_server [HOST [PORT]]          default: 127.0.0.1 65432";

fn main() -> ExitCode {
    let Some((host, port)) = arguments() else {
        log(USAGE);
        return ExitCode::from(2);
    };
    match run(&host, port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            log(message);
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

/// Steps 1 to 3 in one call: it creates a socket, sets `SO_REUSEADDR` (on Unix), binds, listens.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}

/// Step 6, again and again: accepts clients as long as the server runs. It never waits for one of
/// them, and it goes on accepting after every error.
fn serve(listener: &TcpListener) {
    loop {
        match listener.accept() {
            Ok((client, peer)) => start_conversation(client, peer),
            Err(error) => {
                log(format_args!("cannot accept a client: {error}"));
                // Usually no descriptor is free, and the next attempt would fail at once, too.
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// Starts a thread for one client, so that its errors and its silence concern no other client. If
/// no thread can be started, `client` is dropped with the closure, and so closed.
fn start_conversation(client: TcpStream, peer: SocketAddr) {
    let conversation = move || match echo(client) {
        Ok(()) => log(format_args!("{peer} has closed")),
        Err(error) => log(format_args!("{peer} is lost: {error}")),
    };
    if let Err(error) = thread::Builder::new().spawn(conversation) {
        log(format_args!("{peer} cannot be served: {error}"));
    }
}

/// Steps 7 to 9 with one client: sends back what comes in, until the end of the stream.
fn echo(mut client: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 8 * 1024];
    loop {
        match client.read(&mut buffer) {
            // Step 8: the client has closed or half-closed. All of its bytes have been sent back.
            Ok(0) => return Ok(()),
            // Step 7: sends exactly the bytes that were read, and all of them.
            Ok(count) => client.write_all(&buffer[..count])?,
            // A signal interrupted the read before it read anything: read again.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // Step 9: `client` goes out of scope on every path out, and a dropped socket is closed.
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

/// Prints a line on stderr. Unlike `eprintln!`, it does not panic if stderr is closed.
fn log(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
