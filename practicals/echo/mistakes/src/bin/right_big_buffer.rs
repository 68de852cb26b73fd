//! Correct, but odd: has a buffer of 1 MiB and a buffered writer, which it flushes only before a
//! read that could block. A student writes this for speed. Without the flush the reply would wait
//! for the next message.

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Buffered;

impl Server for Buffered {
    fn converse(&self, client: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(1024 * 1024, client);
        let mut writer = BufWriter::new(client);
        loop {
            if reader.buffer().is_empty() {
                writer.flush()?;
            }
            let bytes = reader.fill_buf()?;
            if bytes.is_empty() {
                return Ok(());
            }
            let count = bytes.len().min(1000);
            writer.write_all(&bytes[..count])?;
            reader.consume(count);
        }
    }
}

fn main() -> ExitCode {
    server::main(&Buffered)
}
