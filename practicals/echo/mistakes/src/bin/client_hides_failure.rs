//! Ends with status 0 after every error. The student prints each error, and then `main` ends as if
//! nothing had happened. A script sees a success.

use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct Cheerful;

impl Client for Cheerful {
    fn fails(&self, problem: &str) -> ExitCode {
        eprintln!("{problem}");
        ExitCode::SUCCESS
    }
}

fn main() -> ExitCode {
    client::main(Cheerful)
}
