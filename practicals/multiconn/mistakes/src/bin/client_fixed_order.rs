//! Opens all connections and sends everything, then waits for the replies in the order of the
//! connections.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;

use multiconn_mistakes::client::{MESSAGES, USAGE, arguments};

fn main() -> ExitCode {
    let Some((address, count)) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let begun: Vec<_> = (1..=count).map(|number| begin(number, address)).collect();
    let mut status = ExitCode::SUCCESS;
    for (number, server) in (1..).zip(begun) {
        if let Err(error) = server.and_then(|server| gather(number, server)) {
            eprintln!("connection {number} failed: {error}");
            status = ExitCode::FAILURE;
        }
    }
    status
}

fn begin(number: usize, address: SocketAddr) -> io::Result<TcpStream> {
    println!("starting connection {number} to {address}");
    let mut server = TcpStream::connect(address)?;
    for message in MESSAGES {
        println!("sending {message:?} to connection {number}");
        server.write_all(message.as_bytes())?;
    }
    Ok(server)
}

fn gather(number: usize, mut server: TcpStream) -> io::Result<()> {
    let mut reply = vec![0; MESSAGES.concat().len()];
    server.read_exact(&mut reply)?;
    let text = String::from_utf8_lossy(&reply);
    println!("received {text:?} from connection {number}");
    println!("closing connection {number}");
    Ok(())
}
