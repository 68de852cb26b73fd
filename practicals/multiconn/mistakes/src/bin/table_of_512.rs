//! Keeps its clients in a table with 512 places, which is "more than enough". Those who come when
//! it is full wait for ever.

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
