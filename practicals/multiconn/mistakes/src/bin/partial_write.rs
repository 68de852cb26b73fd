//! Writes once what it has read, and does not ask how much was taken: the rest is forgotten. The
//! send buffer has a size of its own only so that the same is lost on every machine: 100 KB always
//! fit, and 8 MiB never do.

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
