//! Writes once and ignores how much was written. The writes do not block, so a slow reader cannot
//! hold up a thread, but whatever does not fit into the socket's buffer is lost. Small messages
//! always fit.
//!
//! The send buffer has a fixed size so that every machine loses the same: 100 KB always fit, and 8
//! MiB never do.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use socket2::SockRef;

use echo_mistakes::server::{self, Server, echo};

struct Forgetful;

impl Server for Forgetful {
    const BUFFER: usize = 1024 * 1024;

    fn converse(&self, client: &TcpStream) -> io::Result<()> {
        SockRef::from(client).set_send_buffer_size(128 * 1024)?;
        echo(self, client)
    }

    #[allow(clippy::unused_io_amount, reason = "this is the mistake")]
    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        client.set_nonblocking(true)?;
        if let Err(error) = client.write(bytes) {
            eprintln!("not sent: {error}");
        }
        client.set_nonblocking(false)
    }
}

fn main() -> ExitCode {
    server::main(&Forgetful)
}
