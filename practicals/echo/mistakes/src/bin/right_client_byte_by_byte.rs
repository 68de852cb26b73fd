//! Correct, but odd: writes one byte at a time, and reads one byte at a time. The student has
//! worked with files of characters. A reply in any number of pieces does not surprise this client.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::client::{self, Client, send_while};

struct Bytes;

impl Client for Bytes {
    fn exchange(&self, server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        send_while(
            server,
            |mut server| {
                message
                    .chunks(1)
                    .try_for_each(|byte| server.write_all(byte))
            },
            |server| message.iter().map(|_| one_byte(server)).collect(),
        )
    }
}

fn main() -> ExitCode {
    client::main(Bytes)
}

fn one_byte(mut server: &TcpStream) -> io::Result<u8> {
    let mut byte = [0];
    server.read_exact(&mut byte)?;
    Ok(byte[0])
}
