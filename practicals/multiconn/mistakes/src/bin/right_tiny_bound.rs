//! Right, and odd: while a client is owed anything at all, nothing is read from it, and it reads
//! 100 bytes at a time.

use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Frugal;

impl Server for Frugal {
    fn buffer(&self) -> usize {
        100
    }

    fn may_say_more(&self, client: &Client) -> bool {
        client.owed.is_empty()
    }
}

fn main() -> ExitCode {
    server::main(Frugal)
}
