//! Correct, but unusual: its selector never waits for longer than 50 ms. That still costs almost no
//! processor time.

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
