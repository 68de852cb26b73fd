//! Correct, but odd: asks the listening socket again and again whether a client is there, and
//! sleeps for 20 ms if there is none. A student writes this to be able to stop the loop. Fifty
//! questions a second are not a busy loop.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use echo_mistakes::server::{self, Server, echo};

struct Polling;

impl Server for Polling {
    fn listen(&self, host: &str, port: u16) -> io::Result<TcpListener> {
        let listener = TcpListener::bind((host, port))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    fn accept_failed(&self, _error: &io::Error) {
        thread::sleep(Duration::from_millis(20));
    }

    fn converse(&self, client: &TcpStream) -> io::Result<()> {
        client.set_nonblocking(false)?; // some systems copy this from the listening socket
        echo(self, client)
    }
}

fn main() -> ExitCode {
    server::main(&Polling)
}
