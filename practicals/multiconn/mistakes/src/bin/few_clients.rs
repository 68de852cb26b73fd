//! Keeps its clients in a table with eight places. The ninth client waits until a place is free.

use std::process::ExitCode;

use multiconn_mistakes::server::{self, Server};

struct Eight;

impl Server for Eight {
    fn has_room(&self, clients: usize) -> bool {
        clients < 8
    }
}

fn main() -> ExitCode {
    server::main(Eight)
}
