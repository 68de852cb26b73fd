//! Correct, but unusual: it pauses before each of its turns, unless many connections are open.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use mio::Token;

use multiconn_mistakes::client::{self, Client, Connection};

struct Slow;

impl Client for Slow {
    fn turns(&self, ready: Vec<Token>, open: &BTreeMap<Token, Connection>) -> Vec<Token> {
        if open.len() < 10 {
            thread::sleep(Duration::from_millis(100));
        }
        ready
    }
}

fn main() -> ExitCode {
    client::main(Slow)
}
