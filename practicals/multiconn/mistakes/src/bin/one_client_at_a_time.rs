//! Has a selector, but serves one client after another: it accepts the next client when the last
//! one has disconnected.

use std::process::ExitCode;

use multiconn_mistakes::server::{self, Server};

struct OneByOne;

impl Server for OneByOne {
    fn has_room(&self, clients: usize) -> bool {
        clients == 0
    }
}

fn main() -> ExitCode {
    server::main(OneByOne)
}
