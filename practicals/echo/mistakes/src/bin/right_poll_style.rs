//! Correct, but odd: uses one thread, non-blocking sockets and `poll`, as in the third part of the
//! course. It keeps what it owes each client, and waits for writability only while it has something
//! to write. It reads nothing more from a client that it owes too much.

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!("this program needs poll, which only Unix has");
    std::process::ExitCode::FAILURE
}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    echo_mistakes::server::main(&unix::Polling)
}

#[cfg(unix)]
mod unix {
    use std::collections::VecDeque;
    use std::io::ErrorKind::{Interrupted, WouldBlock};
    use std::io::{self, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use echo_mistakes::server::{Server, pause_after, poll};

    /// The server reads nothing from a client while it owes the client more than this.
    const MOST: usize = 256 * 1024;

    pub struct Polling;

    struct Client {
        stream: TcpStream,
        owed: VecDeque<u8>,
        ended: bool,
    }

    impl Server for Polling {
        fn serve(&'static self, listener: TcpListener) -> io::Result<()> {
            listener.set_nonblocking(true)?;
            let mut clients: Vec<Client> = Vec::new();
            loop {
                let mut asked = vec![(listener.as_raw_fd(), libc::POLLIN)];
                asked.extend(clients.iter().map(|client| client.question()));
                let ready = poll(&asked)?;
                let mut answers = ready[1..].iter();
                clients.retain_mut(|client| {
                    answers.next() != Some(&true) || client.goes_on().unwrap_or(false)
                });
                if ready[0] {
                    accept_waiting(&listener, &mut clients);
                }
            }
        }
    }

    fn accept_waiting(listener: &TcpListener, clients: &mut Vec<Client>) {
        loop {
            match listener.accept() {
                Ok((stream, _)) if stream.set_nonblocking(true).is_ok() => {
                    clients.push(Client {
                        stream,
                        owed: VecDeque::new(),
                        ended: false,
                    });
                }
                Ok(_) => {}
                Err(error) if error.kind() == WouldBlock => return,
                Err(error) => return pause_after(&error),
            }
        }
    }

    impl Client {
        fn may_say_more(&self) -> bool {
            !self.ended && self.owed.len() < MOST
        }

        fn question(&self) -> (i32, i16) {
            let reading = if self.may_say_more() { libc::POLLIN } else { 0 };
            let writing = if self.owed.is_empty() {
                0
            } else {
                libc::POLLOUT
            };
            (self.stream.as_raw_fd(), reading | writing)
        }

        /// Reads once, and writes what it can. Returns `false` when the conversation is over.
        fn goes_on(&mut self) -> io::Result<bool> {
            if self.may_say_more() {
                let mut buffer = [0; 64 * 1024];
                match self.stream.read(&mut buffer) {
                    Ok(0) => self.ended = true,
                    Ok(count) => self.owed.extend(&buffer[..count]),
                    Err(error) if matches!(error.kind(), WouldBlock | Interrupted) => {}
                    Err(error) => return Err(error),
                }
            }
            while !self.owed.is_empty() {
                match self.stream.write(self.owed.as_slices().0) {
                    Ok(count) => drop(self.owed.drain(..count)),
                    Err(error) if matches!(error.kind(), WouldBlock | Interrupted) => break,
                    Err(error) => return Err(error),
                }
            }
            Ok(!self.ended || !self.owed.is_empty())
        }
    }
}
