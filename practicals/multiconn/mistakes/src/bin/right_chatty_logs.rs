//! Correct, but unusual: it logs very much about each message.

use std::io;
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Chatty;

impl Server for Chatty {
    fn take(&mut self, client: &mut Client, bytes: &[u8]) -> io::Result<()> {
        let line = format!("received {} bytes ", bytes.len()).repeat(50);
        println!("{line}");
        eprintln!("{line}");
        client.owed.extend(bytes);
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(Chatty)
}
