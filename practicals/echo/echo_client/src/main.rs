//! The echo client: it sends one message to the server and prints what comes back.
//!
//! ```text
//! echo_client HOST PORT [MESSAGE]          without MESSAGE: one line from stdin
//! ```
//!
//! Already written: the arguments, the messages, the line from stdin, the output, the exit status.
//! You write `connect` and `exchange`. Their comments name the steps of the handout,
//! `../README.md`. The other steps are the server's.

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::process::ExitCode;

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

/// Steps 4 and 5: connects to the server.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    // Step 4: the client creates a socket, of the same kind as the server's.
    //         C:      fd = socket(AF_INET, SOCK_STREAM, 0)
    //         Python: s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    //
    // Step 5: it connects the socket to the server's address. It needs no bind: the system chooses
    //         a free port for the client, and the server learns which.
    //         C:      connect(fd, &address, sizeof address)
    //         Python: s.connect((host, port))
    //
    // In Rust one call does both: `TcpStream::connect`.
    //
    //   - Perhaps no server listens there. What should the caller get then?
    todo!("steps 4 and 5: create a socket and connect it to {address}")
}

/// Steps 7 and 8: sends the message, returns the reply when all of it is there, and closes.
fn exchange(server: TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
    // Step 7: both send and receive. The client sends the message and nothing else, then collects
    //         the reply.
    //         C:      send(fd, message, size, 0), until all bytes are sent
    //                 count = recv(fd, buffer, sizeof buffer, 0)
    //         Python: s.sendall(message)
    //                 data = s.recv(1024)
    //         Rust:   the traits `Read` and `Write`, which need a `mut` server
    //
    //   - A read returns what has arrived, even a single byte. When is the reply whole? You know
    //     what you sent, and what an echo is. The server will not close before you do, and nothing
    //     in the stream says "end".
    //   - How much room do you need for the reply?
    //   - A read of 0 bytes is the end of the stream. What if the reply is not whole by then?
    //   - Suppose that the client sends everything before it reads, and the server replies at once.
    //     Where are the bytes under way, and how many fit there? Part 2 of the handout tries it.
    //
    // Step 8: the client closes.
    //         C:      close(fd)
    //         Python: s.close()
    //         Rust:   a socket closes when its owner goes out of scope. In which line is that?
    todo!(
        "steps 7 and 8: send {} bytes over {server:?}, read as many, then close",
        message.len()
    )
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
