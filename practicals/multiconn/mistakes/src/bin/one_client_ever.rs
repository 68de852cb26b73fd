//! Accepts one client, and serves only that one: it never accepts again.

use std::cell::Cell;
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Server};

struct First {
    first: Cell<bool>,
}

impl Server for First {
    fn has_room(&self, _clients: usize) -> bool {
        self.first.replace(false)
    }
}

fn main() -> ExitCode {
    server::main(First {
        first: Cell::new(true),
    })
}
