//! Writes back what a read of 0 bytes returned, and reads again. The student waits for an error as the
//! sign that the client has gone.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct WaitsForAnError;

impl Server for WaitsForAnError {
    fn serve(&'static self, listener: TcpListener) -> io::Result<()> {
        let mut buffer = [0; 1024];
        loop {
            let (mut client, _) = listener.accept()?;
            while let Ok(count) = client.read(&mut buffer) {
                if client.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
        }
    }
}

fn main() -> ExitCode {
    server::main(&WaitsForAnError)
}
