//! Ends when a client resets its connection. The student handles the error, which is good, but
//! treats it as an error of the whole server: the process ends, and with it the conversations of
//! all clients.

use std::io;
use std::process;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Fragile;

impl Server for Fragile {
    fn lost(&self, error: &io::Error) {
        eprintln!("error: {error}");
        process::exit(1);
    }
}

fn main() -> ExitCode {
    server::main(&Fragile)
}
