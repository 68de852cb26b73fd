//! Has one buffer for each client, and overwrites it when bytes come in, although the socket has
//! not taken all of what came before. The send buffer has a fixed size, so that every machine loses
//! the same.

use std::io;
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Overwriting;

impl Server for Overwriting {
    fn take(&mut self, client: &mut Client, bytes: &[u8]) -> io::Result<()> {
        if client.said == 0 {
            socket2::SockRef::from(&client.stream).set_send_buffer_size(128 * 1024)?;
        }
        client.owed.clear();
        client.owed.extend(bytes);
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(Overwriting)
}
