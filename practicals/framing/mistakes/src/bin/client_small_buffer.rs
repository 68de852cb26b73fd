//! Has a buffer of a fixed size for the reply, and fails with a longer reply.

use std::io;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::client::{self, Plain};

struct Small;

impl Framing for Small {
    fn length(&self, header: [u8; 2]) -> io::Result<usize> {
        match usize::from(u16::from_be_bytes(header)) {
            length @ 0..=4096 => Ok(length),
            length => Err(io::Error::other(format!("{length} bytes are too many"))),
        }
    }
}

fn main() -> ExitCode {
    client::main(Plain, Small)
}
