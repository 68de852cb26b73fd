//! A correct server, in steps.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

pub const USAGE: &str = "usage: echo_server [HOST [PORT]]";

/// The steps of a server. Each default is correct.
pub trait Server: Sized + Sync + 'static {
    /// The size of the buffer for one read.
    const BUFFER: usize = 8 * 1024;

    fn listen(&self, host: &str, port: u16) -> io::Result<TcpListener> {
        TcpListener::bind((host, port))
    }

    /// Accepts clients. An `Err` ends the server.
    fn serve(&'static self, listener: TcpListener) -> io::Result<()> {
        accept_all(self, &listener)
    }

    fn accept_failed(&self, error: &io::Error) {
        pause_after(error);
    }

    /// Starts the conversation with a new client, in a thread.
    fn start(&'static self, client: TcpStream) {
        let conversation = move || match self.converse(&client) {
            Ok(()) => {}
            Err(error) => self.lost(&error),
        };
        drop(thread::Builder::new().spawn(conversation));
    }

    /// Holds the conversation with one client.
    fn converse(&self, client: &TcpStream) -> io::Result<()> {
        echo(self, client)
    }

    /// Answers the bytes of one read.
    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        client.write_all(bytes)
    }

    /// Handles the error that has ended a conversation.
    fn lost(&self, error: &io::Error) {
        eprintln!("a client is lost: {error}");
    }

    /// Reports that the server cannot do its work.
    fn fails(&self, problem: &str) -> ExitCode {
        eprintln!("{problem}");
        ExitCode::FAILURE
    }

    fn usage(&self) -> ExitCode {
        eprintln!("{USAGE}");
        ExitCode::from(2)
    }
}

/// Runs the program.
pub fn main(server: &'static impl Server) -> ExitCode {
    let Some((host, port)) = arguments() else {
        return server.usage();
    };
    let served = server
        .listen(&host, port)
        .and_then(|listener| server.serve(listener));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => server.fails(&format!("cannot listen on {host}:{port}: {error}")),
    }
}

/// Accepts one client after another, for ever.
pub fn accept_all(server: &'static impl Server, listener: &TcpListener) -> ! {
    loop {
        match listener.accept() {
            Ok((client, _)) => server.start(client),
            Err(error) => server.accept_failed(&error),
        }
    }
}

/// Pauses before the next attempt to accept, which would fail as fast. Usually no descriptor is
/// free.
pub fn pause_after(error: &io::Error) {
    eprintln!("cannot accept a client: {error}");
    thread::sleep(Duration::from_millis(100));
}

/// Reads and replies until the client has ended its stream.
pub fn echo<S: Server>(server: &S, mut client: &TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; S::BUFFER];
    loop {
        match client.read(&mut buffer)? {
            0 => return Ok(()),
            count => server.reply(client, &buffer[..count])?,
        }
    }
}

/// Returns the first IPv4 address of a host.
pub fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let mut addresses = (host, port).to_socket_addrs()?;
    addresses
        .find(SocketAddr::is_ipv4)
        .ok_or_else(|| io::Error::other("no IPv4 address"))
}

fn arguments() -> Option<(String, u16)> {
    let mut words = env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned());
    let host = words.next().unwrap_or_else(|| "127.0.0.1".into());
    let port = words.next().unwrap_or_else(|| "65432".into());
    let port = port.parse().ok()?;
    words.next().is_none().then_some((host, port))
}

/// Waits until one of these sockets is ready for its events. Returns for each whether it is ready.
#[cfg(unix)]
pub fn poll(asked: &[(std::os::fd::RawFd, i16)]) -> io::Result<Vec<bool>> {
    let question = |&(fd, events)| libc::pollfd {
        fd,
        events,
        revents: 0,
    };
    let mut fds: Vec<_> = asked.iter().map(question).collect();
    // SAFETY: the pointer and the length belong to one vector, which outlives the call.
    let ready = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, -1) };
    match io::Error::last_os_error() {
        error if ready < 0 && error.kind() != io::ErrorKind::Interrupted => Err(error),
        _ => Ok(fds.iter().map(|fd| fd.revents != 0).collect()),
    }
}
