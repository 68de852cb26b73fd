//! Forgets what it still owes a client that half-closes. One thread reads into a queue, and another
//! writes from it. At the end of the stream, the reader takes the client for gone and shuts the
//! connection down, although the queue may not be empty.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use echo_mistakes::server::{self, Server};

struct Queued;

impl Server for Queued {
    fn start(&'static self, client: TcpStream) {
        let (queue, pieces) = channel();
        let Ok(writing) = client.try_clone() else {
            return;
        };
        drop(thread::Builder::new().spawn(move || write_from(&pieces, writing)));
        drop(thread::Builder::new().spawn(move || {
            let ended = read_into(&queue, &client);
            _ = client.shutdown(Shutdown::Both); // the client has gone, so the writer may stop
            ended
        }));
    }
}

fn main() -> ExitCode {
    server::main(&Queued)
}

fn read_into(queue: &Sender<Vec<u8>>, mut client: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 8 * 1024];
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 || queue.send(buffer[..count].to_vec()).is_err() {
            return Ok(());
        }
    }
}

fn write_from(pieces: &Receiver<Vec<u8>>, mut client: TcpStream) -> io::Result<()> {
    pieces.iter().try_for_each(|piece| client.write_all(&piece))
}
