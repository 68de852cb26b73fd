//! A correct server, as a trait of steps.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use crate::Framing;

pub const USAGE: &str = "usage: framed_server [HOST [PORT]]";

/// The steps of a server. Each default is correct. `F` frames the messages.
pub trait Server<F: Framing + Default>: Sync {
    fn listen(&self, address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address)
    }

    /// Returns whether the next client waits until this one has disconnected.
    fn one_at_a_time(&self) -> bool {
        false
    }

    fn converse(&self, mut client: TcpStream) -> io::Result<()> {
        let mut framing = F::default();
        while let Some(text) = framing.receive(&mut client)? {
            framing.send(&mut client, &text)?;
        }
        Ok(())
    }

    /// Handles the result of a conversation.
    fn ended(&self, how: io::Result<()>) {
        match how {
            Ok(()) => println!("a client has closed"),
            Err(error) => eprintln!("a client is lost: {error}"),
        }
    }

    fn fails(&self, error: io::Error) -> ExitCode {
        eprintln!("cannot listen: {error}");
        ExitCode::FAILURE
    }

    fn usage(&self) -> ExitCode {
        eprintln!("{USAGE}");
        ExitCode::from(2)
    }
}

/// A server that differs only in its framing.
pub struct Plain;

impl<F: Framing + Default> Server<F> for Plain {}

/// Runs the program.
pub fn main<F: Framing + Default>(server: impl Server<F>) -> ExitCode {
    let Some(address) = arguments() else {
        return server.usage();
    };
    match server.listen(address) {
        Ok(listener) => serve(&server, &listener),
        Err(error) => server.fails(error),
    }
}

fn serve<F: Framing + Default>(server: &impl Server<F>, listener: &TcpListener) -> ! {
    thread::scope(|scope| {
        loop {
            let Ok((client, _)) = listener.accept() else {
                thread::sleep(Duration::from_millis(100)); // usually no descriptor is free
                continue;
            };
            if server.one_at_a_time() {
                server.ended(server.converse(client));
            } else {
                let converse = || server.ended(server.converse(client));
                let _ = thread::Builder::new().spawn_scoped(scope, converse);
            }
        }
    })
}

fn arguments() -> Option<SocketAddr> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let host = words.first().map_or("127.0.0.1", String::as_str);
    let port = words.get(1).map_or("65432", String::as_str).parse().ok()?;
    let address = SocketAddr::new(host.parse().ok()?, port);
    (words.len() <= 2).then_some(address)
}
