//! The echo server for many clients: one thread, and a selector that says which sockets are ready.
//!
//! ```text
//! multiconn_server [HOST [PORT]] [--idle SECONDS]          default: 127.0.0.1 65432
//! ```
//!
//! Already written: the arguments, the messages, the loop, and what the one thread remembers. You
//! write `Server::new`, `accept` and `close_idle`, and the client's `read`, `write` and `interest`.
//! The handout, `../README.md`, explains what a selector is. The crate `mio` uses the selector of
//! each system.

use std::collections::{HashMap, VecDeque};
use std::env;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const USAGE: &str =
    "usage: multiconn_server [HOST [PORT]] [--idle SECONDS]    default: 127.0.0.1 65432";

/// The server does not read from a client that it owes this many bytes.
const MOST_OWED: usize = 64 * 1024;

/// The listening socket's token. A client's token is its number, from 1 on.
const LISTENER: Token = Token(0);

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        log(USAGE);
        return ExitCode::from(2);
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            log(message);
            ExitCode::FAILURE
        }
    }
}

struct Arguments {
    host: String,
    port: u16,
    /// The server closes a client that is silent for longer.
    idle: Option<Duration>,
}

fn run(arguments: Arguments) -> Result<(), String> {
    let (host, port) = (arguments.host, arguments.port);
    let address =
        resolve(&host, port).map_err(|error| format!("cannot find the host {host}: {error}"))?;
    let mut server = Server::new(address, arguments.idle)
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;

    log(format_args!("listening on {address}"));
    server
        .serve()
        .map_err(|error| format!("cannot wait for clients any more: {error}"))
}

/// Everything that the one thread remembers.
struct Server {
    poll: Poll,
    listener: TcpListener,
    clients: HashMap<Token, Client>,
    /// The last client's number.
    last: usize,
    idle: Option<Duration>,
    /// Accepting has failed: the loop tries again a little later.
    accept_again: bool,
}

/// One conversation. A thread would remember all this in its local variables.
struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    /// The bytes that came in and have not gone back yet.
    owed: VecDeque<u8>,
    /// The client has ended its side: a read has returned 0.
    ended: bool,
    /// When a byte last moved, in either direction.
    last_moved: Instant,
}

impl Server {
    /// Steps 1 to 3: listens, and creates a selector that watches the listening socket.
    fn new(address: SocketAddr, idle: Option<Duration>) -> io::Result<Self> {
        // Steps 1 to 3: mio's `TcpListener::bind` creates a socket, sets SO_REUSEADDR (on Unix),
        //               binds and listens, like the one of the standard library. But its sockets
        //               are non-blocking: a call that would have to wait fails with `WouldBlock`.
        //
        // The selector: `Poll::new` creates one. Its `registry().register` tells it which socket to
        // watch, what for, and the token to report. For the listening socket use `LISTENER` and
        // `Interest::READABLE`: "readable" means here that a client waits.
        //
        //   - Another program may use the address already. What should the caller get then?
        todo!("steps 1 to 3: listen on {address}, watched by a selector ({idle:?})")
    }

    /// The only loop. In it, only the call `poll` waits.
    fn serve(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(256);
        loop {
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let mut ready: Vec<Token> = events.iter().map(|event| event.token()).collect();
            if self.accept_again {
                ready.push(LISTENER);
            }
            for token in ready {
                match token {
                    LISTENER => self.accept(),
                    client => self.take_turn(client),
                }
            }
            self.close_idle();
        }
    }

    /// Accepts all clients that are waiting.
    fn accept(&mut self) {
        // Step 6: when the selector reports the listening socket as readable,
        //         `self.listener.accept()` returns a client, and does not wait. One event may stand
        //         for several clients.
        //
        // `welcome`, below, gives the client its token and registers it with the selector.
        //
        //   - How do you know that no client is waiting any more?
        //   - Accepting may fail, for example when the process has no file descriptor left. Then
        //     the client still waits in the queue, and the selector does not report it again. Set
        //     `self.accept_again`: the loop then calls this function a little later.
        //   - `ErrorKind::ConnectionAborted` concerns only one client in the queue.
        todo!(
            "step 6: accept all who wait on {:?}, {} and {} for each",
            self.listener,
            std::any::type_name_of_val(&Client::new),
            std::any::type_name_of_val(&Self::welcome)
        )
    }

    fn welcome(&mut self, mut client: Client) {
        self.last += 1;
        let token = Token(self.last);
        let interest = client.interest();
        match self
            .poll
            .registry()
            .register(&mut client.stream, token, interest)
        {
            Ok(()) => drop(self.clients.insert(token, client)),
            Err(error) => log(format_args!("{} cannot be served: {error}", client.peer)),
        }
    }

    /// One client's turn: reads once, writes what the socket takes, and tells the selector what to
    /// wait for. An error closes only this client.
    fn take_turn(&mut self, token: Token) {
        let Some(client) = self.clients.get_mut(&token) else {
            return;
        };
        let registry = self.poll.registry();
        let turn = client.read().and_then(|()| client.write()).and_then(|()| {
            let interest = client.interest();
            registry.reregister(&mut client.stream, token, interest)
        });
        match turn {
            Ok(()) if !client.is_done() => return,
            Ok(()) => log(format_args!("{} has closed", client.peer)),
            Err(error) => log(format_args!("{} is lost: {error}", client.peer)),
        }
        self.clients.remove(&token); // dropped, and so closed
    }

    /// Returns how long the selector may wait: for ever, or until the next client is idle for too
    /// long.
    fn timeout(&self) -> Option<Duration> {
        const BEFORE_ACCEPTING_AGAIN: Duration = Duration::from_millis(100);
        let silent = self
            .clients
            .values()
            .map(|client| client.last_moved.elapsed());
        let next = self
            .idle
            .and_then(|idle| silent.max().map(|longest| idle.saturating_sub(longest)));
        let again = self.accept_again.then_some(BEFORE_ACCEPTING_AGAIN);
        next.into_iter().chain(again).min()
    }

    /// Closes the clients that have been silent for too long, and no others.
    fn close_idle(&mut self) {
        let Some(idle) = self.idle else { return };
        // Because of `timeout`, above, the loop calls this in time. Remove each client whose
        // `last_moved` is longer ago than `idle`. A client that leaves the table is dropped, and so
        // closed.
        //
        //   - Which functions must set `last_moved`?
        todo!("--idle: close the clients that are silent for {idle:?}, and no others")
    }
}

impl Client {
    fn new(stream: TcpStream, peer: SocketAddr) -> Self {
        Self {
            stream,
            peer,
            owed: VecDeque::new(),
            ended: false,
            last_moved: Instant::now(),
        }
    }

    /// Reads once, if there is room for more. It is not an error if nothing has arrived.
    fn read(&mut self) -> io::Result<()> {
        // Step 7: read once, and append what it returns to `self.owed`.
        //         Rust: the trait `Read`, which `self.stream` implements
        //
        //   - A client that never reads must not fill the memory: `may_say_more` says whether there
        //     is room. Which function tells the selector that you do not want this client's bytes?
        //   - A read of 0 bytes is step 8: the client sends no more. You may still owe it bytes.
        //   - `is_for_later` recognises the errors that mean: not now.
        todo!(
            "step 7: read from {:?}, unless {} says no; what {} is no error",
            self.stream,
            std::any::type_name_of_val(&Self::may_say_more),
            std::any::type_name_of_val(&is_for_later)
        )
    }

    /// Writes the bytes in `owed` until the socket takes no more. The rest stays in `owed`.
    fn write(&mut self) -> io::Result<()> {
        // Step 7: write what is in `self.owed`, until the socket takes no more. `VecDeque` has
        //         `as_slices`, whose first part you can write, and `drain`, which removes what was
        //         written.
        //
        //   - `write` returns how many bytes the socket has taken. Where is the rest?
        //   - Why is `write_all` of no use here?
        todo!("step 7: write {} bytes", self.owed.len())
    }

    /// Returns what to wait for: reading while there is room, writing while bytes are owed.
    fn interest(&self) -> Interest {
        // `Interest::READABLE`, `Interest::WRITABLE`, or both: `Interest::READABLE |
        // Interest::WRITABLE`.
        //
        //   - A socket is nearly always writable. What happens in the loop if you always ask for
        //     WRITABLE?
        //   - What do you wait for if a client has ended its side, or if you owe it too much?
        todo!(
            "what to watch for: room {}, owed {}",
            self.may_say_more(),
            self.owed.len()
        )
    }

    fn may_say_more(&self) -> bool {
        !self.ended && self.owed.len() < MOST_OWED
    }

    /// Returns whether the client has ended its side and has been sent all of its bytes.
    fn is_done(&self) -> bool {
        self.ended && self.owed.is_empty()
    }
}

/// Returns whether an error means "not now": then the selector reports when to try again.
fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Returns the first IPv4 address of HOST, which is an address or a name.
fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let mut addresses = (host, port).to_socket_addrs()?;
    addresses
        .find(SocketAddr::is_ipv4)
        .ok_or_else(|| io::Error::other("it has no IPv4 address"))
}

/// Returns HOST, PORT and the time for `--idle`, or `None` if the arguments are unusable.
fn arguments() -> Option<Arguments> {
    let mut words: VecDeque<String> = VecDeque::new();
    let mut idle = None;
    let mut given = env::args_os().skip(1).map(|word| word.into_string().ok());
    while let Some(word) = given.next() {
        match word? {
            option if option == "--idle" => idle = Some(seconds(&given.next()??)?),
            word => words.push_back(word),
        }
    }
    let host = words.pop_front().unwrap_or_else(|| "127.0.0.1".to_owned());
    let port = words.pop_front().unwrap_or_else(|| "65432".to_owned());
    let port = port.parse().ok()?;

    let is_host = !host.is_empty() && !host.starts_with('-');
    (is_host && words.is_empty()).then_some(Arguments { host, port, idle })
}

/// Reads a time such as `30` or `0.5`.
fn seconds(word: &str) -> Option<Duration> {
    let time = Duration::try_from_secs_f64(word.parse().ok()?).ok()?;
    (time > Duration::ZERO).then_some(time)
}

/// Prints a line on stderr. Unlike `eprintln!`, it does not panic if stderr is closed.
fn log(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
