//! Accepts `--idle` and never closes an idle client, because an idle client causes no event.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use mio::Token;

use multiconn_mistakes::server::{self, Client, Server};

struct Patient;

impl Server for Patient {
    fn timeout(
        &self,
        _clients: &HashMap<Token, Client>,
        _idle: Option<Duration>,
    ) -> Option<Duration> {
        None
    }

    fn is_idle(&self, _client: &Client, _idle: Duration) -> bool {
        false
    }
}

fn main() -> ExitCode {
    server::main(Patient)
}
