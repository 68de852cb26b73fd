//! The echo server: it sends back to each client exactly the bytes that this client sent.
//!
//! ```text
//! echo_server [HOST [PORT]]          default: 127.0.0.1 65432
//! ```
//!
//! Given whole: the arguments, the messages, the exit status. Yours: `listen`, `serve` and `echo`.
//! Their comments name the steps of the handout, `../README.md`; 4, 5 and 8 are the client's.

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

/// Steps 1 to 3: a socket to which clients can connect.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    // Step 1: the server creates a socket, one end of a line that leads nowhere yet.
    //         C:      fd = socket(AF_INET, SOCK_STREAM, 0)
    //         Python: s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    //
    // Step 2: it binds the socket to its address. Only one program at a time can have that.
    //         C:      bind(fd, &address, sizeof address)
    //         Python: s.bind((host, port))
    //
    // Step 3: it listens: from here on the system completes connections and keeps them in a queue.
    //         C:      listen(fd, 128)
    //         Python: s.listen()
    //
    // In Rust one call does all three: `TcpListener::bind`. On Unix it also sets, between steps 1
    // and 2, the option SO_REUSEADDR, without which a stopped server cannot start again at once.
    //
    //   - Somebody else may have the address already. What should the caller get then?
    todo!("steps 1 to 3: bind and listen on {address}")
}

/// Step 6, again and again: clients, for as long as the server lives.
fn serve(listener: &TcpListener) {
    // Step 6: the server accepts a client. The call waits until one has connected, and returns a
    //         second socket for this one conversation; the listening socket stays for the next.
    //         C:      connection = accept(fd, NULL, NULL)
    //         Python: connection, peer = s.accept()
    //         Rust:   a method of `TcpListener`, with the same name and the same two results
    //
    // `echo`, below, holds the conversation with that client.
    //
    //   - It returns an error when its client vanishes or resets. Whose trouble is that, this
    //     client's or everybody's? What should somebody who reads the log be told?
    //   - Accepting may fail too, for instance when the process has no file descriptor left. Is
    //     that the end of the server? And if it tries again at once: how often in a second?
    //   - Part 3 of the handout: a silent client must not keep the others waiting. Who waits for it
    //     to speak, and who accepts meanwhile?
    todo!(
        "step 6: accept clients on {listener:?} and call {} for each",
        std::any::type_name_of_val(&echo)
    )
}

/// Steps 7 to 9 with one client: what comes in goes out, until no more comes in.
fn echo(client: TcpStream) -> io::Result<()> {
    // Step 7: both send and receive: the server receives some bytes and sends these bytes back.
    //         C:      count = recv(connection, buffer, sizeof buffer, 0)
    //                 send(connection, buffer, count, 0), until all have been taken
    //         Python: data = connection.recv(1024)
    //                 connection.sendall(data)
    //         Rust:   the traits `Read` and `Write`, which want a client that is `mut`
    //
    //   - A read may fill only a part of the buffer. Which of its bytes are the client's?
    //   - TCP carries bytes, not messages: one message may arrive in many reads, two messages in
    //     one. Must an echo server know where a message ends?
    //   - Which methods of `Write` send all the bytes, and which perhaps only some?
    //   - Are the bytes text? Does it matter here?
    //
    // Step 8: the client closes, or says that it will send no more. You see it as a read of 0
    //         bytes: the end of the stream. A read that is merely short says nothing of the kind.
    //
    // Step 9: the server closes its side, once everything that it owes is sent.
    //         C:      close(connection)
    //         Python: connection.close()
    //         Rust:   a socket closes when its owner goes out of scope. In which line is that?
    todo!("steps 7 to 9: echo what comes over {client:?} until it ends, then close")
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

/// A line on stderr. That nobody reads it any more is no reason to stop: `eprintln!` would panic.
fn log(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
