//! Correct, but unusual: it serves the last connection first, and each connection twice.

use std::collections::BTreeMap;
use std::process::ExitCode;

use mio::Token;

use multiconn_mistakes::client::{self, Client, Connection};

struct Backwards;

impl Client for Backwards {
    fn turns(&self, ready: Vec<Token>, _open: &BTreeMap<Token, Connection>) -> Vec<Token> {
        let backwards = ready.iter().rev().copied();
        backwards.clone().chain(backwards).collect()
    }
}

fn main() -> ExitCode {
    client::main(Backwards)
}
