//! Keeps its clients in a table with 512 places, which is "more than enough". When it is full, the
//! next clients wait for ever.

use std::process::ExitCode;

use multiconn_mistakes::server::{self, Server};

struct Table;

impl Server for Table {
    fn has_room(&self, clients: usize) -> bool {
        clients < 512
    }
}

fn main() -> ExitCode {
    server::main(Table)
}
