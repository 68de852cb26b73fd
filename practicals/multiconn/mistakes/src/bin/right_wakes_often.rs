//! Right, and odd: its selector never waits for longer than 50 ms, in case there is something to
//! do. That is no rest, and still next to nothing.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use mio::Token;

use multiconn_mistakes::server::{self, Client, Server};

struct Wakeful;

impl Server for Wakeful {
    fn timeout(
        &self,
        _clients: &HashMap<Token, Client>,
        _idle: Option<Duration>,
    ) -> Option<Duration> {
        Some(Duration::from_millis(50))
    }
}

fn main() -> ExitCode {
    server::main(Wakeful)
}
