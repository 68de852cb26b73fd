//! Counts its clients, and closes the connection of each client beyond a hundred. The student
//! feared for the machine's memory and guessed the number.

use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use echo_mistakes::server::{self, Server};

const MOST: usize = 100;

static PRESENT: AtomicUsize = AtomicUsize::new(0);

struct Counting;

impl Server for Counting {
    const BUFFER: usize = 4096;

    fn start(&'static self, client: TcpStream) {
        if PRESENT.load(Relaxed) >= MOST {
            eprintln!("too many clients: {:?} is turned away", client.peer_addr());
            return;
        }
        PRESENT.fetch_add(1, Relaxed);
        drop(thread::Builder::new().spawn(move || {
            _ = self.converse(&client);
            drop(client);
            PRESENT.fetch_sub(1, Relaxed);
        }));
    }
}

fn main() -> ExitCode {
    server::main(&Counting)
}
