//! Decodes each piece of the reply by itself. A character whose UTF-8 bytes are split between two
//! reads becomes two replacement characters. The student wanted a `String` to print, and tried only
//! replies that arrived in one piece.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct Text;

impl Client for Text {
    fn exchange(&self, mut server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        server.write_all(message)?;
        let (mut reply, mut buffer, mut count) = (String::new(), [0; 1024], 0);
        while count < message.len() {
            let most = buffer.len().min(message.len() - count);
            let piece = match server.read(&mut buffer[..most])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                size => &buffer[..size],
            };
            count += piece.len();
            reply += &String::from_utf8_lossy(piece);
        }
        Ok(reply.into_bytes())
    }
}

fn main() -> ExitCode {
    client::main(Text)
}
