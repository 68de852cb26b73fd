//! Right, and odd: one thread, non-blocking sockets and `poll`. A student of the course's third
//! part writes that. What a client is owed is kept for it, and it is asked for writability only
//! while there is something to write; from one that is owed too much nothing more is read.

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
    use std::collections::VecDeque;
    use std::env;
    use std::io::ErrorKind::{Interrupted, WouldBlock};
    use std::io::{self, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::{AsRawFd, RawFd};
    use std::process::ExitCode;
    use std::thread;
    use std::time::Duration;

    /// From a client that is owed more than this nothing is read until it has read.
    const MOST: usize = 256 * 1024;

    struct Client {
        stream: TcpStream,
        owed: VecDeque<u8>,
        ended: bool,
    }

    pub fn main() -> ExitCode {
        let Some((host, port)) = arguments() else {
            eprintln!("usage: echo_server [HOST [PORT]]");
            return ExitCode::from(2);
        };
        match TcpListener::bind((host.as_str(), port)).and_then(|listener| serve(&listener)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("cannot serve on {host}:{port}: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn serve(listener: &TcpListener) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let mut clients: Vec<Client> = Vec::new();
        loop {
            let mut asked = vec![question(listener.as_raw_fd(), libc::POLLIN)];
            asked.extend(
                clients
                    .iter()
                    .map(|client| question(client.stream.as_raw_fd(), client.waits_for())),
            );
            wait(&mut asked)?;

            let mut answers = asked[1..].iter().map(|answer| answer.revents != 0);
            clients.retain_mut(|client| {
                answers.next() != Some(true) || client.goes_on().unwrap_or(false)
            });
            if asked[0].revents != 0 {
                accept_all(listener, &mut clients);
            }
        }
    }

    fn question(fd: RawFd, events: i16) -> libc::pollfd {
        libc::pollfd {
            fd,
            events,
            revents: 0,
        }
    }

    fn wait(asked: &mut [libc::pollfd]) -> io::Result<()> {
        // SAFETY: the pointer and the length are those of one slice, which outlives the call.
        let ready = unsafe { libc::poll(asked.as_mut_ptr(), asked.len() as libc::nfds_t, -1) };
        match io::Error::last_os_error() {
            error if ready < 0 && error.kind() != Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    fn accept_all(listener: &TcpListener, clients: &mut Vec<Client>) {
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
                // Most often no descriptor is free, and the next attempt would fail as fast.
                Err(_) => return thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    impl Client {
        fn may_say_more(&self) -> bool {
            !self.ended && self.owed.len() < MOST
        }

        fn waits_for(&self) -> i16 {
            let reading = if self.may_say_more() { libc::POLLIN } else { 0 };
            let writing = if self.owed.is_empty() {
                0
            } else {
                libc::POLLOUT
            };
            reading | writing
        }

        /// Reads once, and writes what can be written. `false`: the client has ended and is owed
        /// nothing.
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

    fn arguments() -> Option<(String, u16)> {
        let mut words = env::args_os()
            .skip(1)
            .map(|word| word.to_string_lossy().into_owned());
        let host = words.next().unwrap_or_else(|| "127.0.0.1".into());
        let port = words
            .next()
            .unwrap_or_else(|| "65432".into())
            .parse()
            .ok()?;
        words.next().is_none().then_some((host, port))
    }
}
