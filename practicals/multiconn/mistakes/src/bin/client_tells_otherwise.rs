//! Reports its steps in other words, with capital letters.

use std::process::ExitCode;

use multiconn_mistakes::client::{self, Client};

struct Capital;

impl Client for Capital {
    fn say(&self, line: String) {
        let (first, rest) = line.split_at(1);
        println!("{}{rest}", first.to_uppercase());
    }
}

fn main() -> ExitCode {
    client::main(Capital)
}
