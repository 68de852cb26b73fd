//! The server for framed messages: it sends back each message that a client sends.
//!
//! ```text
//! framed_server [HOST [PORT]]          default: 127.0.0.1 65432
//! ```
//!
//! Given whole: the arguments, the messages, the exit status. Yours: `listen`, `serve` and `converse`
//! here, and `send` and `receive` in `../framing`.

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

/// Steps 1 to 3: a socket to which clients can connect.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    // As in the echo practical.
    todo!("steps 1 to 3: bind and listen on {address}")
}

/// Accepts clients, and lets each have a conversation of its own.
fn serve(listener: &TcpListener) {
    // As in the echo practical: accept in a loop without an end, and let each client have its
    // conversation, `converse`, in a thread of its own.
    //
    //   - What comes of a conversation? Its end is worth a line in the log: `log`. Its error is one to
    //     `complain` of. Neither is the end of the server.
    //   - Accepting may fail, too. Is that the end of the server? And if it tries again at once: how
    //     often in a second?
    todo!(
        "accept clients on {listener:?} and call {} for each",
        std::any::type_name_of_val(&converse)
    )
}

/// One client: each of its messages goes back, until its stream ends between two of them.
fn converse(client: TcpStream) -> io::Result<()> {
    // `framing::receive` returns one message, or `None` where the client has ended its stream, or
    // an error. `framing::send` sends one. Both want a `&mut client`.
    //
    //   - What tells the end between two messages from the end inside of one?
    //   - A body that is not UTF-8: whose error is it, and who goes on?
    todo!("send back each message of {client:?}")
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
