//! Ends each message with a newline, like a line of text.

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
