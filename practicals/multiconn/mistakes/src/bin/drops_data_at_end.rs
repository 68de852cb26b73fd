//! Closes a client as soon as a read returns 0, and loses what the socket has not taken by then. It
//! keeps up to 10 MiB, so it may lose much.

use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Hasty;

impl Server for Hasty {
    fn may_say_more(&self, client: &Client) -> bool {
        client.owed.len() < 10 * 1024 * 1024
    }

    fn is_done(&self, client: &Client) -> bool {
        client.ended
    }
}

fn main() -> ExitCode {
    server::main(Hasty)
}
