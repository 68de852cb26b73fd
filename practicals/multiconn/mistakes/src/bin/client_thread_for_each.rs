//! Starts a thread for each connection, which waits for its reply.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;

use multiconn_mistakes::client::{MESSAGES, USAGE, arguments};

fn main() -> ExitCode {
    let Some((address, count)) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let conversations: Vec<_> = (1..=count)
        .map(|number| thread::spawn(move || converse(number, address)))
        .collect();
    let mut status = ExitCode::SUCCESS;
    for conversation in conversations {
        if !matches!(conversation.join(), Ok(Ok(()))) {
            eprintln!("a connection failed");
            status = ExitCode::FAILURE;
        }
    }
    status
}

fn converse(number: usize, address: SocketAddr) -> io::Result<()> {
    println!("starting connection {number} to {address}");
    let mut server = TcpStream::connect(address)?;
    for message in MESSAGES {
        println!("sending {message:?} to connection {number}");
        server.write_all(message.as_bytes())?;
    }
    let mut reply = vec![0; MESSAGES.concat().len()];
    server.read_exact(&mut reply)?;
    let text = String::from_utf8_lossy(&reply);
    println!("received {text:?} from connection {number}");
    println!("closing connection {number}");
    Ok(())
}
