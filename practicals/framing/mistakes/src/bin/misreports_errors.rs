//! Prints its errors where nobody looks for them, and says that all went well.

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
