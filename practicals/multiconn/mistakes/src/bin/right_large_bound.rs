//! Correct, but unusual: it keeps up to 8 MiB for a client. That is much, but limited.

use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Roomy;

impl Server for Roomy {
    fn may_say_more(&self, client: &Client) -> bool {
        client.owed.len() < 8 * 1024 * 1024
    }
}

fn main() -> ExitCode {
    server::main(Roomy)
}
