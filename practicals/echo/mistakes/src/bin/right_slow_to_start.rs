//! Correct, but odd: sleeps for 700 ms before it binds. A program that loads a configuration or a
//! whole framework first does the same.

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use echo_mistakes::server::{self, Server};

struct Slow;

impl Server for Slow {
    fn listen(&self, host: &str, port: u16) -> io::Result<TcpListener> {
        thread::sleep(Duration::from_millis(700));
        TcpListener::bind((host, port))
    }
}

fn main() -> ExitCode {
    server::main(&Slow)
}
