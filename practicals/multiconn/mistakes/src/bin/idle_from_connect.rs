//! Stores only when a client connected. After the idle time it closes every client, even one that
//! sends all the time.

use std::process::ExitCode;
use std::time::Duration;

use multiconn_mistakes::server::{self, Client, Server};

struct Bouncer;

impl Server for Bouncer {
    fn is_idle(&self, client: &Client, idle: Duration) -> bool {
        client.came.elapsed() >= idle
    }
}

fn main() -> ExitCode {
    server::main(Bouncer)
}
