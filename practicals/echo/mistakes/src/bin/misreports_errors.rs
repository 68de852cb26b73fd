//! Prints its errors on stdout and ends with status 0. The student uses `println!` for everything
//! and then returns from `main`. A person reads the message, but a script sees a success.

use std::process::ExitCode;

use echo_mistakes::server::{self, Server, USAGE};

struct Cheerful;

impl Server for Cheerful {
    fn fails(&self, problem: &str) -> ExitCode {
        println!("{problem}");
        ExitCode::SUCCESS
    }

    fn usage(&self) -> ExitCode {
        println!("{USAGE}");
        ExitCode::SUCCESS
    }
}

fn main() -> ExitCode {
    server::main(&Cheerful)
}
