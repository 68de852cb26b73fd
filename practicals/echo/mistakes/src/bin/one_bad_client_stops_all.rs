//! Stops accepting once a client has reset its connection. The accept loop joins the conversations
//! that have ended, and passes their errors on with `?`, which ends the loop. The process lives on,
//! but serves no new client.

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;
use std::thread::{self, JoinHandle};

use echo_mistakes::server::{self, Server, pause_after};

struct Joining;

impl Server for Joining {
    fn serve(&'static self, listener: TcpListener) -> io::Result<()> {
        thread::Builder::new().spawn(move || {
            if let Err(error) = self.accept_and_join(&listener) {
                eprintln!("error: {error}");
            }
        })?;
        loop {
            thread::park(); // the server runs until it is stopped from outside
        }
    }
}

fn main() -> ExitCode {
    server::main(&Joining)
}

impl Joining {
    fn accept_and_join(&'static self, listener: &TcpListener) -> io::Result<()> {
        let mut conversations: Vec<JoinHandle<io::Result<()>>> = Vec::new();
        loop {
            let accepted = listener.accept();
            for ended in conversations.extract_if(.., |conversation| conversation.is_finished()) {
                ended.join().unwrap_or(Ok(()))?; // one client's error ends the loop for all
            }
            match accepted {
                Ok((client, _)) => conversations
                    .extend(thread::Builder::new().spawn(move || self.converse(&client))),
                Err(error) => pause_after(&error),
            }
        }
    }
}
