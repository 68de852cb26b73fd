//! Keeps its connections in a table with 64 places.

use std::process::ExitCode;

use multiconn_mistakes::client::{self, Client, MESSAGES};

struct Small;

impl Client for Small {
    fn messages(&self) -> Vec<Vec<u8>> {
        let count: usize = std::env::args()
            .nth(3)
            .map_or(0, |word| word.parse().unwrap_or(0));
        if count > 64 {
            eprintln!("{count} connections are too many");
            std::process::exit(1);
        }
        MESSAGES.map(|message| message.as_bytes().to_vec()).into()
    }
}

fn main() -> ExitCode {
    client::main(Small)
}
