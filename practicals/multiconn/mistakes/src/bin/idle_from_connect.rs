//! Notes when a client came, and never again: after the idle time everybody is closed, also who
//! speaks all the time.

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
