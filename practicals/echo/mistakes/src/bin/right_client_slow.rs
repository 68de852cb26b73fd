//! Correct, but odd: pauses for 200 ms before it sends, before it reads and before it closes. A
//! student writes this to watch each step in the server's log.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use echo_mistakes::client::{self, Client, send_while};

const PAUSE: Duration = Duration::from_millis(200);

struct Slow;

impl Client for Slow {
    fn exchange(&self, server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        let send = |mut server: &TcpStream| server.write_all(message);
        let receive = |mut server: &TcpStream| {
            thread::sleep(PAUSE);
            let mut reply = vec![0; message.len()];
            let read = server.read_exact(&mut reply);
            thread::sleep(PAUSE);
            read.map(|()| reply)
        };
        thread::sleep(PAUSE);
        send_while(server, send, receive)
    }
}

fn main() -> ExitCode {
    client::main(Slow)
}
