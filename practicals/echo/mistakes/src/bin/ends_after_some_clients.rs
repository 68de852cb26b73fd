//! Takes five clients, one after another, and ends. The student took the backlog, five in the example
//! of the book, for the number of clients.

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct FiveInAll;

impl Server for FiveInAll {
    fn serve(&'static self, listener: TcpListener) -> io::Result<()> {
        for client in listener.incoming().take(5) {
            if let Err(error) = self.converse(&client?) {
                self.lost(&error);
            }
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(&FiveInAll)
}
