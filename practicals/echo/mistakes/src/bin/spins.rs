//! Asks for new clients again and again, and so keeps a processor busy with nothing. The student
//! has read that servers are non-blocking, and answers "no client yet" by asking again at once.

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

use echo_mistakes::server::{self, Server, echo, pause_after};

struct Eager;

impl Server for Eager {
    fn listen(&self, host: &str, port: u16) -> io::Result<TcpListener> {
        let listener = TcpListener::bind((host, port))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    fn accept_failed(&self, error: &io::Error) {
        match error.kind() {
            ErrorKind::WouldBlock => {} // no client yet
            _ => pause_after(error),
        }
    }

    fn converse(&self, client: &TcpStream) -> io::Result<()> {
        client.set_nonblocking(false)?; // some systems copy this from the listening socket
        echo(self, client)
    }
}

fn main() -> ExitCode {
    server::main(&Eager)
}
