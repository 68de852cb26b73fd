//! Right, and odd: when all messages are sent it says that it will send no more, and reads then.

use std::io;
use std::io::ErrorKind;
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;

use framing_mistakes::client::{self, Client};
use framing_mistakes::{Framing, Right};

struct HalfClosing;

impl Client for HalfClosing {
    fn converse(
        &self,
        framing: &mut impl Framing,
        server: &mut TcpStream,
        messages: &[String],
    ) -> io::Result<()> {
        for message in messages {
            framing.send(server, message)?;
        }
        server.shutdown(Shutdown::Write)?;
        for message in messages {
            let reply = framing.receive(server)?.ok_or(ErrorKind::UnexpectedEof)?;
            self.print(message, &reply)?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    client::main(HalfClosing, Right)
}
