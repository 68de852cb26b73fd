//! Correct, but unusual: it logs very much on stderr.

use std::collections::BTreeMap;
use std::process::ExitCode;

use mio::Token;

use multiconn_mistakes::client::{self, Client, Connection};

struct Chatty;

impl Client for Chatty {
    fn turns(&self, ready: Vec<Token>, open: &BTreeMap<Token, Connection>) -> Vec<Token> {
        let line = format!("{} of {} are ready; ", ready.len(), open.len());
        self.log(&line.repeat(200));
        ready
    }
}

fn main() -> ExitCode {
    client::main(Chatty)
}
