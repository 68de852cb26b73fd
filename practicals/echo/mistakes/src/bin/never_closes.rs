//! Keeps every client's socket after the client has gone. The sockets stay in CLOSE_WAIT until no
//! descriptor is free. The student keeps a list of all connections, in order to count them, and
//! never removes one.

use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use echo_mistakes::server::{self, Server};

static CLIENTS: Mutex<Vec<Arc<TcpStream>>> = Mutex::new(Vec::new());

struct Guestbook;

impl Server for Guestbook {
    fn start(&'static self, client: TcpStream) {
        let client = Arc::new(client);
        let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
        clients.push(client.clone()); // a socket is closed when its last owner drops it
        eprintln!("client number {}", clients.len());
        drop(thread::Builder::new().spawn(move || self.converse(&client)));
    }
}

fn main() -> ExitCode {
    server::main(&Guestbook)
}
