//! Sends the second message after the first one's reply. With a server that collects both messages
//! it waits for ever.

use std::process::ExitCode;

use multiconn_mistakes::client::{self, Client, Connection, MESSAGES};

struct Polite;

impl Client for Polite {
    fn may_send_next(&self, connection: &Connection) -> bool {
        let sent = MESSAGES.len() - connection.messages.len();
        connection.received >= sent * MESSAGES[0].len()
    }
}

fn main() -> ExitCode {
    client::main(Polite)
}
