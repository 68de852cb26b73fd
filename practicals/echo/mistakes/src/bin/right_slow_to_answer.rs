//! Correct, but odd: sleeps for 20 ms between each read and its write. A student writes this to
//! watch the traffic, or because a classmate's server worked only with a pause. The buffer is
//! large, so that a long stream stays fast.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use echo_mistakes::server::{self, Server};

struct Slow;

impl Server for Slow {
    const BUFFER: usize = 1024 * 1024;

    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        thread::sleep(Duration::from_millis(20));
        client.write_all(bytes)
    }
}

fn main() -> ExitCode {
    server::main(&Slow)
}
