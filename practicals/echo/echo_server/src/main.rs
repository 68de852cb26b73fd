//! The echo server: it sends back to each client exactly the bytes that this client sent.
//!
//! ```text
//! echo_server [HOST [PORT]]          default: 127.0.0.1 65432
//! ```
//!
//! Already written: the arguments, the messages, the exit status. You write `listen`, `serve` and
//! `echo`. Their comments name the steps of the handout, `../README.md`. Steps 4, 5 and 8 are the
//! client's.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::ExitCode;

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

/// Steps 1 to 3: returns a socket to which clients can connect.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    // Step 1: the server creates a socket. It is not connected to anything yet.
    //         C:      fd = socket(AF_INET, SOCK_STREAM, 0)
    //         Python: s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    //
    // Step 2: it binds the socket to its address. Only one program at a time can use an address.
    //         C:      bind(fd, &address, sizeof address)
    //         Python: s.bind((host, port))
    //
    // Step 3: it listens. From now on the system completes connections and keeps them in a queue.
    //         C:      listen(fd, 128)
    //         Python: s.listen()
    //
    // In Rust one call does all three: `TcpListener::bind`. On Unix it also sets the option
    // SO_REUSEADDR between steps 1 and 2. Without it a stopped server cannot start again at once.
    //
    //   - Another program may use the address already. What should the caller get then?
    todo!("steps 1 to 3: bind and listen on {address}")
}

/// Step 6, again and again: accepts clients as long as the server runs.
fn serve(listener: &TcpListener) {
    // Step 6: the server accepts a client. The call waits until one has connected. It returns a
    //         second socket, for this one conversation. The listening socket stays for the next.
    //         C:      connection = accept(fd, NULL, NULL)
    //         Python: connection, peer = s.accept()
    //         Rust:   a method of `TcpListener` with the same name and the same two results
    //
    // `echo`, below, holds the conversation with that client.
    //
    //   - It returns an error when its client vanishes or resets the connection. Does that concern
    //     only this client, or all of them? What should the log say?
    //   - Accepting may fail, too, for example when the process has no file descriptor left. Should
    //     the server stop then? If it tries again at once, how often does it try in a second?
    //   - Part 3 of the handout: a silent client must not keep the others waiting. Which thread
    //     waits for this client to speak, and which one accepts meanwhile?
    todo!(
        "step 6: accept clients on {listener:?} and call {} for each",
        std::any::type_name_of_val(&echo)
    )
}

/// Steps 7 to 9 with one client: sends back what comes in, until the end of the stream.
fn echo(client: TcpStream) -> io::Result<()> {
    // Step 7: both send and receive. The server receives some bytes and sends these bytes back.
    //         C:      count = recv(connection, buffer, sizeof buffer, 0)
    //                 send(connection, buffer, count, 0), until all bytes are sent
    //         Python: data = connection.recv(1024)
    //                 connection.sendall(data)
    //         Rust:   the traits `Read` and `Write`, which need a `mut` client
    //
    //   - A read may fill only a part of the buffer. Which of its bytes are the client's?
    //   - TCP carries bytes, not messages. One message may arrive in many reads, and two messages
    //     in one. Must an echo server know where a message ends?
    //   - Which methods of `Write` send all the bytes, and which may send only some?
    //   - Are the bytes text? Does it matter here?
    //
    // Step 8: the client closes, or says that it will send no more. You see this as a read of 0
    //         bytes: the end of the stream. A short read of 1 byte or more is not the end.
    //
    // Step 9: the server closes its side, after it has sent everything that it owes.
    //         C:      close(connection)
    //         Python: connection.close()
    //         Rust:   a socket closes when its owner goes out of scope. In which line is that?
    todo!("steps 7 to 9: echo what comes over {client:?} until it ends, then close")
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
