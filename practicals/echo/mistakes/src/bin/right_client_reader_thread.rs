//! Correct, but odd: reads in a second thread from the beginning, while the main thread writes. The
//! student has a chat in mind, where both sides speak when they like.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
use std::thread;

use echo_mistakes::client::{self, Client};

struct ReaderThread;

impl Client for ReaderThread {
    fn exchange(&self, mut server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        thread::scope(|scope| {
            let reader = scope.spawn(|| read(server, message.len()));
            let written = server.write_all(message);
            let reply = reader
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a panic")))?;
            written.map(|()| reply)
        })
    }
}

fn main() -> ExitCode {
    client::main(ReaderThread)
}

fn read(mut server: &TcpStream, size: usize) -> io::Result<Vec<u8>> {
    let mut reply = vec![0; size];
    let read = server.read_exact(&mut reply);
    let _ = server.shutdown(Shutdown::Both); // wakes a writer that still waits
    read.map(|()| reply)
}
