//! Reads everything that comes, and keeps what the socket does not take. A client that sends and
//! never reads fills the memory.

use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Generous;

impl Server for Generous {
    fn may_say_more(&self, _client: &Client) -> bool {
        true
    }
}

fn main() -> ExitCode {
    server::main(Generous)
}
