//! Holds one conversation after another, in one thread.

use std::process::ExitCode;

use framing_mistakes::Right;
use framing_mistakes::server::{self, Server};

struct OneByOne;

impl Server<Right> for OneByOne {
    fn one_at_a_time(&self) -> bool {
        true
    }
}

fn main() -> ExitCode {
    server::main(OneByOne)
}
