//! Serves one client, and ends when that client has gone. The student took "accept a client, echo,
//! close" for the whole program.

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct OnlyOne;

impl Server for OnlyOne {
    fn serve(&'static self, listener: TcpListener) -> io::Result<()> {
        let (client, _) = listener.accept()?;
        drop(listener); // from here on no other client can connect
        if let Err(error) = self.converse(&client) {
            self.lost(&error);
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(&OnlyOne)
}
