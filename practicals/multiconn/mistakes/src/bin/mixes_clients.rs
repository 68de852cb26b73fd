//! Has one buffer for all clients. It reads into the buffer when a client is readable, and replies
//! from it in the next round, when that client is writable. By then it may have read from another
//! client.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use mio::Interest;

use multiconn_mistakes::server::{self, Client, Server};

#[derive(Default)]
struct Shared {
    buffer: Vec<u8>,
    /// Which client to answer, and with how many bytes of the buffer.
    awaited: HashMap<SocketAddr, usize>,
}

impl Server for Shared {
    fn turn(&mut self, client: &mut Client) -> io::Result<()> {
        match self.awaited.remove(&client.stream.peer_addr()?) {
            Some(count) => client.owed.extend(self.buffer.iter().take(count)),
            None => self.read(client)?,
        }
        self.write(client)
    }

    fn take(&mut self, client: &mut Client, bytes: &[u8]) -> io::Result<()> {
        self.buffer = bytes.to_vec();
        self.awaited.insert(client.stream.peer_addr()?, bytes.len());
        Ok(())
    }

    fn interest(&self, client: &Client) -> Interest {
        let is_awaited = |peer| self.awaited.contains_key(&peer);
        match client.stream.peer_addr().is_ok_and(is_awaited) || !client.owed.is_empty() {
            true => Interest::WRITABLE,
            false => Interest::READABLE,
        }
    }
}

fn main() -> ExitCode {
    server::main(Shared::default())
}
