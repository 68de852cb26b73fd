//! Has one buffer for each client, and what comes in is put there, also when the socket has not
//! taken all of what came before: that is overwritten. The send buffer has a size of its own only
//! so that the same is lost on every machine.

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
