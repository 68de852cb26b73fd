//! Correct, but odd: has a buffer of one byte, so it reads and writes one byte at a time. A student
//! writes this so that no message is too long. After the first 256 KiB of a conversation it uses
//! buffers, because megabytes would take too long.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

/// The number of bytes of a conversation that go one by one.
const UNBUFFERED: usize = 256 * 1024;

struct OneByte;

impl Server for OneByte {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut byte = [0];
        for _ in 0..UNBUFFERED {
            if client.read(&mut byte)? == 0 {
                return Ok(());
            }
            client.write_all(&byte)?;
        }
        let (mut reader, mut writer) = (BufReader::new(client), BufWriter::new(client));
        while reader.read(&mut byte)? == 1 {
            writer.write_all(&byte)?;
            if reader.buffer().is_empty() {
                writer.flush()?;
            }
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(&OneByte)
}
