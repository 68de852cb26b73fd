//! Ends each message with a newline, as a line of text has one.

use std::process::ExitCode;

use multiconn_mistakes::client::{self, Client, MESSAGES};

struct Lines;

impl Client for Lines {
    fn messages(&self) -> Vec<Vec<u8>> {
        let line = |message: &&str| format!("{message}\n").into_bytes();
        MESSAGES.iter().map(line).collect()
    }
}

fn main() -> ExitCode {
    client::main(Lines)
}
