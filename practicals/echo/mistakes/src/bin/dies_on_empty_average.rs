//! Logs the average size of each client's pieces. A client that has said nothing has sent no piece,
//! so the division panics. One thread serves all clients, so the whole server ends.

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!("this program needs poll, which only Unix has");
    std::process::ExitCode::FAILURE
}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    echo_mistakes::server::main(&unix::Average)
}

#[cfg(unix)]
mod unix {
    use std::io::ErrorKind::WouldBlock;
    use std::io::{self, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use echo_mistakes::server::{Server, poll};

    pub struct Average;

    struct Client {
        stream: TcpStream,
        /// While this is not empty, the server reads nothing more from the client.
        owed: Vec<u8>,
        total: usize,
        pieces: usize,
    }

    impl Server for Average {
        fn serve(&'static self, listener: TcpListener) -> io::Result<()> {
            let mut clients: Vec<Client> = Vec::new();
            loop {
                let mut asked = vec![(listener.as_raw_fd(), libc::POLLIN)];
                asked.extend(clients.iter().map(Client::question));
                let ready = poll(&asked)?;
                let mut answers = ready[1..].iter();
                clients.retain_mut(|client| {
                    answers.next() != Some(&true) || client.goes_on().unwrap_or(false)
                });
                if ready[0] {
                    let (stream, _) = listener.accept()?;
                    stream.set_nonblocking(true)?;
                    clients.push(Client {
                        stream,
                        owed: Vec::new(),
                        total: 0,
                        pieces: 0,
                    });
                }
            }
        }
    }

    impl Client {
        fn question(&self) -> (i32, i16) {
            let event = if self.owed.is_empty() {
                libc::POLLIN
            } else {
                libc::POLLOUT
            };
            (self.stream.as_raw_fd(), event)
        }

        /// Returns `false` when the client has ended.
        fn goes_on(&mut self) -> io::Result<bool> {
            if self.owed.is_empty() {
                let mut buffer = [0; 4096];
                let count = self.stream.read(&mut buffer)?;
                if count == 0 {
                    eprintln!("{} bytes a piece", self.total / self.pieces);
                    return Ok(false);
                }
                self.owed.extend(&buffer[..count]);
                self.total += count;
                self.pieces += 1;
            }
            match self.stream.write(&self.owed) {
                Ok(count) => drop(self.owed.drain(..count)),
                Err(error) if error.kind() == WouldBlock => {}
                Err(error) => return Err(error),
            }
            Ok(true)
        }
    }
}
