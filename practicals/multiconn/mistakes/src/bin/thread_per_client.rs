//! Does what the last practical asked for: a thread for each client. It is correct in everything
//! but the subject of this practical.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use multiconn_mistakes::server::{USAGE, arguments};

fn main() -> ExitCode {
    let Some((address, idle)) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match TcpListener::bind(address) {
        Ok(listener) => serve(&listener, idle),
        Err(error) => {
            eprintln!("cannot listen on {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(listener: &TcpListener, idle: Option<Duration>) -> ! {
    loop {
        let Ok((client, _)) = listener.accept() else {
            thread::sleep(Duration::from_millis(100)); // usually no descriptor is free
            continue;
        };
        let _ = thread::Builder::new().spawn(move || echo(client, idle));
    }
}

fn echo(mut client: TcpStream, idle: Option<Duration>) -> io::Result<()> {
    client.set_read_timeout(idle)?;
    let mut buffer = [0; 16 * 1024];
    loop {
        match client.read(&mut buffer)? {
            0 => return Ok(()),
            count => client.write_all(&buffer[..count])?,
        }
    }
}
