//! Serves eight clients at once, and lets the ninth wait until one of them has gone. The student
//! wanted a pool of threads, as in the book, and gave each thread a client for as long as the
//! client stays.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;

use echo_mistakes::server::{self, Server, accept_all};

const THREADS: usize = 8;

struct Pool;

impl Server for Pool {
    fn serve(&'static self, listener: TcpListener) -> io::Result<()> {
        for _ in 1..THREADS {
            if let Ok(listener) = listener.try_clone() {
                drop(thread::Builder::new().spawn(move || accept_all(self, &listener)));
            }
        }
        accept_all(self, &listener)
    }

    fn start(&'static self, client: TcpStream) {
        _ = self.converse(&client);
    }
}

fn main() -> ExitCode {
    server::main(&Pool)
}
