//! Prints its own message, because an echo is the same.

use std::io;
use std::process::ExitCode;

use framing_mistakes::Right;
use framing_mistakes::client::{self, Client};

struct Sure;

impl Client for Sure {
    fn print(&self, message: &str, _reply: &str) -> io::Result<()> {
        println!("{message}");
        Ok(())
    }
}

fn main() -> ExitCode {
    client::main(Sure, Right)
}
