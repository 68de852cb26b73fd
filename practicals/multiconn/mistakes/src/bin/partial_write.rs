//! Writes once, ignores how much the socket took, and so loses the rest. The send buffer has a
//! fixed size, so that every machine loses the same: 100 KB always fit, and 8 MiB never do.

use std::io::{self, Write};
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Forgetful;

impl Server for Forgetful {
    fn take(&mut self, client: &mut Client, bytes: &[u8]) -> io::Result<()> {
        if client.said == 0 {
            socket2::SockRef::from(&client.stream).set_send_buffer_size(128 * 1024)?;
        }
        let _forgotten = client.stream.write(bytes);
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(Forgetful)
}
