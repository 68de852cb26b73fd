//! Always asks the selector for both events, like the sample of many a tutorial. A socket is nearly
//! always writable, so the selector returns at once, and the loop never rests.

use std::process::ExitCode;

use mio::Interest;

use multiconn_mistakes::server::{self, Client, Server};

struct Always;

impl Server for Always {
    fn interest(&self, _client: &Client) -> Interest {
        Interest::READABLE | Interest::WRITABLE
    }
}

fn main() -> ExitCode {
    server::main(Always)
}
