//! Serves one client after another: it accepts the next client when the previous one has gone. The
//! student put the conversation into the accept loop, and tried it with one client at a time.

use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct OneByOne;

impl Server for OneByOne {
    /// Holds the conversation in the thread that accepts, so no client is accepted meanwhile.
    fn start(&'static self, client: TcpStream) {
        _ = self.converse(&client);
    }
}

fn main() -> ExitCode {
    server::main(&OneByOne)
}
