//! Sends its buffer up to the first NUL, as if it held a C string, and clears the buffer only once
//! for each client. After a long message, a short one is followed by the rest of the long one.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct CString;

impl Server for CString {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = [0; 100];
        while client.read(&mut buffer)? > 0 {
            let end = buffer.iter().position(|byte| *byte == 0);
            client.write_all(&buffer[..end.unwrap_or(buffer.len())])?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(&CString)
}
