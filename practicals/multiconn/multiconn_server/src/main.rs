//! The echo server for many clients: one thread, and a selector that says which sockets are ready.
//!
//! ```text
//! multiconn_server [HOST [PORT]] [--idle SECONDS]          default: 127.0.0.1 65432
//! ```
//!
//! Given whole: the arguments, the messages, the loop, and what the one thread keeps in mind. Yours:
//! `Server::new`, `accept`, `close_idle`, and the client's `read`, `write` and `interest`. The handout,
//! `../README.md`, says what a selector is. The crate `mio` brings the selector of each system.

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

/// A client that is owed this much is not read from until it has taken some of it.
const MOST_OWED: usize = 64 * 1024;

/// The listening socket's token; a client's is its number, from 1 on.
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
    /// A client that is silent for longer is closed.
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

/// Everything that the one thread keeps in mind.
struct Server {
    poll: Poll,
    listener: TcpListener,
    clients: HashMap<Token, Client>,
    /// The last client's number.
    last: usize,
    idle: Option<Duration>,
    /// Accepting has failed, and is to be tried again a little later.
    accept_again: bool,
}

/// One conversation. A thread would remember all this by itself: where it is, and what it has read.
struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    /// What came from it and has not gone back yet.
    owed: VecDeque<u8>,
    /// Its end of stream has been read.
    ended: bool,
    /// When a byte last went either way.
    last_moved: Instant,
}

impl Server {
    /// Steps 1 to 3, and a selector that watches the listening socket.
    fn new(address: SocketAddr, idle: Option<Duration>) -> io::Result<Self> {
        // Steps 1 to 3: mio's `TcpListener::bind` creates a socket, sets SO_REUSEADDR (on Unix), binds
        //               and listens, like the one of the standard library. But its sockets do not
        //               block: a call that cannot do anything now fails with `WouldBlock`.
        //
        // The selector: `Poll::new` makes one, and its `registry().register` tells it which socket to
        // watch, under which token to report it, and what for. For the listening socket that is
        // `LISTENER` and `Interest::READABLE`: "readable" means here that somebody waits.
        //
        //   - Somebody else may have the address already. What should the caller get then?
        todo!("steps 1 to 3: listen on {address}, watched by a selector ({idle:?})")
    }

    /// The only loop, and the only call in it that waits is `poll`.
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

    /// Accepts every client that waits, until there is none left.
    fn accept(&mut self) {
        // Step 6: as the selector says that the listening socket is readable, `self.listener.accept()`
        //         returns a client, and does not wait. One event may stand for several clients.
        //
        // `welcome`, below, gives the client a token of its own and has it watched.
        //
        //   - How do you know that nobody waits any more?
        //   - Accepting may fail, for instance when the process has no file descriptor left. The
        //     client still waits in the queue then, and the selector will not mention it again:
        //     where `self.accept_again` is set, the loop calls this function a little later.
        //   - `ErrorKind::ConnectionAborted` is the fate of one client in the queue, not yours.
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

    /// One client's turn: it reads once, writes what can be written, and waits for what comes next.
    /// Whatever goes wrong is that client's affair: it is closed, and the others go on.
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

    /// How long the selector may wait: for ever, or until the next client has been silent too long.
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

    /// Closes the clients that have been silent for too long, and only those.
    fn close_idle(&mut self) {
        let Some(idle) = self.idle else { return };
        // `timeout`, above, sees to it that the loop comes here in time. A client whose
        // `last_moved` is longer ago than `idle` goes; taken out of the table, it is dropped, and
        // so closed.
        //
        //   - Who keeps `last_moved` up to date?
        todo!("--idle: close who has been silent for {idle:?}, and nobody else")
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

    /// Reads once, if there is room for what comes. That nothing is there is no error.
    fn read(&mut self) -> io::Result<()> {
        // Step 7: one read, and what it returns goes to the end of `self.owed`.
        //         Rust: the trait `Read`, which `self.stream` implements
        //
        //   - A client that never reads must not fill the memory: `may_say_more` says whether there is
        //     room. Who tells the selector that you do not want to hear of this client's bytes?
        //   - A read of 0 bytes is step 8: the client says no more. It may still be owed something.
        //   - `is_for_later` knows the errors that mean: not now.
        todo!(
            "step 7: read from {:?}, unless {} says no; what {} is no error",
            self.stream,
            std::any::type_name_of_val(&Self::may_say_more),
            std::any::type_name_of_val(&is_for_later)
        )
    }

    /// Writes what it is owed, as far as the socket takes it. The rest stays owed.
    fn write(&mut self) -> io::Result<()> {
        // Step 7: what is in `self.owed` goes out, as far as the socket takes it. `VecDeque` has
        //         `as_slices`, whose first part can be written, and `drain`, which takes away what was.
        //
        //   - `write` returns how many bytes the socket has taken. Where is the rest?
        //   - `write_all` would be of no use here. Why?
        todo!("step 7: write {} bytes", self.owed.len())
    }

    /// What is worth waking up for: reading while there is room, writing while something is owed.
    fn interest(&self) -> Interest {
        // `Interest::READABLE`, `Interest::WRITABLE`, or both: `Interest::READABLE |
        // Interest::WRITABLE`.
        //
        //   - A socket is nearly always writable. What happens in the loop if you always ask for
        // it?   - And a client at its end, or one that is owed too much: what is it to be watched
        // for?
        todo!(
            "what to watch for: room {}, owed {}",
            self.may_say_more(),
            self.owed.len()
        )
    }

    fn may_say_more(&self) -> bool {
        !self.ended && self.owed.len() < MOST_OWED
    }

    /// It has ended its side, and all of its bytes are on their way back.
    fn is_done(&self) -> bool {
        self.ended && self.owed.is_empty()
    }
}

/// Not now: the selector will say when.
fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// HOST is an IPv4 address or a name; a name may have other addresses besides.
fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let mut addresses = (host, port).to_socket_addrs()?;
    addresses
        .find(SocketAddr::is_ipv4)
        .ok_or_else(|| io::Error::other("it has no IPv4 address"))
}

/// HOST, PORT and the time for `--idle`, or nothing where the words on the command line are none.
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

/// A time such as `30` or `0.5`.
fn seconds(word: &str) -> Option<Duration> {
    let time = Duration::try_from_secs_f64(word.parse().ok()?).ok()?;
    (time > Duration::ZERO).then_some(time)
}

/// A line on stderr. That nobody reads it any more is no reason to stop: `eprintln!` would panic.
fn log(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
