//! Correct, but unusual: it sends all messages first, then reads the replies.

use std::io;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::process::ExitCode;

use framing_mistakes::client::{self, Client};
use framing_mistakes::{Framing, Right};

struct AllFirst;

impl Client for AllFirst {
    fn converse(
        &self,
        framing: &mut impl Framing,
        server: &mut TcpStream,
        messages: &[String],
    ) -> io::Result<()> {
        for message in messages {
            framing.send(server, message)?;
        }
        for message in messages {
            let reply = framing.receive(server)?.ok_or(ErrorKind::UnexpectedEof)?;
            self.print(message, &reply)?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    client::main(AllFirst, Right)
}
