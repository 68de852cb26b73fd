//! Prints its errors on stdout, and exits with status 0.

use std::io;
use std::process::ExitCode;

use framing_mistakes::Right;
use framing_mistakes::server::{self, Server, USAGE};

struct Cheerful;

impl Server<Right> for Cheerful {
    fn fails(&self, error: io::Error) -> ExitCode {
        println!("cannot listen: {error}");
        ExitCode::SUCCESS
    }

    fn usage(&self) -> ExitCode {
        println!("{USAGE}");
        ExitCode::SUCCESS
    }
}

fn main() -> ExitCode {
    server::main(Cheerful)
}
