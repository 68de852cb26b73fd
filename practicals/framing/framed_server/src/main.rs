//! The server for framed messages: it sends back each message that a client sends.
//!
//! ```text
//! framed_server [HOST [PORT]]          default: 127.0.0.1 65432
//! ```
//!
//! Already written: the arguments, the messages, the exit status. You write `listen`, `serve` and
//! `converse` here, and `send` and `receive` in `../framing`.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::ExitCode;

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
    // As in the echo practical.
    todo!("steps 1 to 3: bind and listen on {address}")
}

/// Accepts clients, and starts a conversation with each.
fn serve(listener: &TcpListener) {
    // As in the echo practical: accept in a loop that never ends, and run `converse` in a separate
    // thread for each client.
    //
    //   - How does a conversation end? Print its normal end with `log`, and its error with
    //     `complain`. Neither of them stops the server.
    //   - Accepting may fail, too. Should the server stop then? If it tries again at once, how
    //     often does it try in a second?
    todo!(
        "accept clients on {listener:?} and call {} for each",
        std::any::type_name_of_val(&converse)
    )
}

/// Sends back each message of one client, until its stream ends between two messages.
fn converse(client: TcpStream) -> io::Result<()> {
    // `framing::receive` returns one message, or `None` if the client has ended its stream, or an
    // error. `framing::send` sends one message. Both need a `&mut client`.
    //
    //   - How do you tell an end between two messages from an end inside a message?
    //   - If a body is not UTF-8, which client has the error? Which clients go on?
    todo!("send back each message of {client:?}")
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
