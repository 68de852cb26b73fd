//! Stops watching a client that has closed, but keeps its socket, which stays in CLOSE_WAIT for
//! ever.

use std::io;
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

#[derive(Default)]
struct Guestbook {
    all_who_ever_came: Vec<Client>,
}

impl Server for Guestbook {
    fn gone(&mut self, client: Client) -> io::Result<()> {
        self.all_who_ever_came.push(client);
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(Guestbook::default())
}
