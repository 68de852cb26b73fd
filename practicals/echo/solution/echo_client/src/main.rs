//! The echo client: it sends one message to the server and prints what comes back.
//!
//! ```text
//! echo_client HOST PORT [MESSAGE]          without MESSAGE: one line from stdin
//! ```
//!
//! The reference solution. `connect` and `exchange` are the steps of the handout; the rest is the
//! same as in the skeleton.

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::thread;

const USAGE: &str = "usage: echo_client HOST PORT [MESSAGE]    without MESSAGE: a line from stdin";

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        log(USAGE);
        return ExitCode::from(2);
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            log(message);
            ExitCode::FAILURE
        }
    }
}

struct Arguments {
    host: String,
    port: u16,
    /// Bytes, not text: on Unix an argument need not be UTF-8.
    message: Option<Vec<u8>>,
}

fn run(arguments: Arguments) -> Result<(), String> {
    let (host, port) = (arguments.host, arguments.port);
    let address =
        resolve(&host, port).map_err(|error| format!("cannot find the host {host}: {error}"))?;
    let server =
        connect(address).map_err(|error| format!("cannot connect to {address}: {error}"))?;
    let message = arguments
        .message
        .map_or_else(line_from_stdin, Ok)
        .map_err(|error| format!("cannot read a message from stdin: {error}"))?;
    let reply = exchange(server, &message)
        .map_err(|error| format!("no whole reply from {address}: {error}"))?;
    print(&reply).map_err(|error| format!("cannot print the reply: {error}"))
}

/// Steps 4 and 5 in one call: it creates a socket and connects it.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect(address)
}

/// Steps 7 and 8: sends the message, returns the reply when all of it is there, and closes.
///
/// One thread sends while this one reads. If the client sent everything first, a message larger
/// than the socket buffers would never arrive. The server would wait for the client to read, and
/// would itself read no more: both would wait for ever.
fn exchange(server: TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
    thread::scope(|scope| {
        let sender = thread::Builder::new().spawn_scoped(scope, || (&server).write_all(message))?;

        let reply = gather(&server, message.len());
        if reply.is_err() {
            // The sender may be waiting for a server that reads no more: this wakes it. The call
            // fails if the connection is gone; then the sender does not wait.
            let _ = server.shutdown(Shutdown::Both);
        }
        let sent = sender
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the sending thread panicked")));

        reply.and_then(|reply| sent.map(|()| reply))
    })
    // Step 8: `server` goes out of scope, and a dropped socket is closed.
}

/// Reads the reply. An echo is as long as its message, so neither a short read nor the end of the
/// stream marks its end. An end of the stream before that is an error.
fn gather(server: &TcpStream, size: usize) -> io::Result<Vec<u8>> {
    let mut reply = Vec::with_capacity(size);
    server.take(size as u64).read_to_end(&mut reply)?;
    if reply.len() < size {
        let message = format!("the server closed after {} of {size} bytes", reply.len());
        return Err(io::Error::new(ErrorKind::UnexpectedEof, message));
    }
    Ok(reply)
}

/// Reads one line, without the LF or CR LF at its end. The last line of a file may have neither.
fn line_from_stdin() -> io::Result<Vec<u8>> {
    if io::stdin().is_terminal() {
        log("type a message, then Enter:");
    }
    let mut line = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut line)?;
    if line.pop_if(|byte| *byte == b'\n').is_some() {
        line.pop_if(|byte| *byte == b'\r');
    }
    Ok(line)
}

/// Prints the reply and one line end. `println!` prints only text, and panics if stdout is closed.
fn print(reply: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(reply)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Returns the first IPv4 address of HOST, which is an address or a name.
fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let mut addresses = (host, port).to_socket_addrs()?;
    addresses
        .find(SocketAddr::is_ipv4)
        .ok_or_else(|| io::Error::other("it has no IPv4 address"))
}

/// Returns HOST, PORT and perhaps MESSAGE, or `None` if the arguments are unusable.
fn arguments() -> Option<Arguments> {
    let mut words = env::args_os().skip(1);
    let host = words.next()?.into_string().ok()?;
    let port = words.next()?.into_string().ok()?.parse().ok()?;
    let message = words.next().map(bytes_of);

    let is_host = !host.is_empty() && !host.starts_with('-');
    let is_all = words.next().is_none();
    (is_host && is_all).then_some(Arguments {
        host,
        port,
        message,
    })
}

#[cfg(unix)]
fn bytes_of(word: OsString) -> Vec<u8> {
    std::os::unix::ffi::OsStringExt::into_vec(word)
}

/// On other systems an argument is Unicode, and its bytes are UTF-8.
#[cfg(not(unix))]
fn bytes_of(word: OsString) -> Vec<u8> {
    word.to_string_lossy().into_owned().into_bytes()
}

/// Prints a line on stderr. Unlike `eprintln!`, it does not panic if stderr is closed.
fn log(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
