//! Correct, but odd: has two threads for each client, one that reads and one that writes, with a
//! bounded channel between them. The student has just learned about channels. The bound keeps a
//! client that never reads from filling the memory.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use echo_mistakes::server::{self, Server};

struct TwoThreads;

impl Server for TwoThreads {
    /// Reads, while the other thread writes. The socket closes when both have dropped it.
    fn start(&'static self, client: TcpStream) {
        let (sender, receiver) = sync_channel::<Vec<u8>>(16);
        let reader = Arc::new(client);
        let writer = reader.clone();
        let write = move || {
            receiver
                .iter()
                .try_for_each(|bytes| (&*writer).write_all(&bytes))
        };
        drop(thread::Builder::new().spawn(write));
        drop(thread::Builder::new().spawn(move || read_into(&sender, &reader)));
    }
}

fn main() -> ExitCode {
    server::main(&TwoThreads)
}

fn read_into(sender: &SyncSender<Vec<u8>>, mut client: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = client.read(&mut buffer)?;
        // A writer that has failed receives nothing more.
        if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
            return Ok(());
        }
    }
}
