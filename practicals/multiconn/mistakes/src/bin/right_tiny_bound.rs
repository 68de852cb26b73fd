//! Correct, but unusual: it reads 100 bytes at a time, and does not read from a client that it owes
//! anything.

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
