//! Correct, but unusual: it pauses before each message.

use std::io;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use framing_mistakes::client::{self, Client};
use framing_mistakes::{Framing, Right};

struct Slow;

impl Client for Slow {
    fn exchange(
        &self,
        framing: &mut impl Framing,
        server: &mut TcpStream,
        message: &str,
    ) -> io::Result<()> {
        thread::sleep(Duration::from_millis(100));
        framing.send(server, message)?;
        let reply = framing.receive(server)?.ok_or(ErrorKind::UnexpectedEof)?;
        self.print(message, &reply)
    }
}

fn main() -> ExitCode {
    client::main(Slow, Right)
}
