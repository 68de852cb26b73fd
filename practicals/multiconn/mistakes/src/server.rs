//! A correct server, as a trait of steps.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

use crate::is_for_later;

pub const MOST_OWED: usize = 64 * 1024;
pub const LISTENER: Token = Token(0);
pub const USAGE: &str = "usage: multiconn_server [HOST [PORT]] [--idle SECONDS]";

/// One conversation.
pub struct Client {
    pub stream: TcpStream,
    pub owed: VecDeque<u8>,
    pub ended: bool,
    pub came: Instant,
    pub last_moved: Instant,
    /// How many bytes were read from the client.
    pub said: usize,
    /// For a server that remembers whether it has asked the selector for everything.
    pub watched: bool,
}

impl Client {
    pub fn new(stream: TcpStream) -> Self {
        let now = Instant::now();
        Self {
            stream,
            owed: VecDeque::new(),
            ended: false,
            came: now,
            last_moved: now,
            said: 0,
            watched: false,
        }
    }
}

/// The steps of a server. Each default is correct.
pub trait Server {
    fn listen(&mut self, address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address)
    }

    /// Returns whether to accept one more client beside the present ones.
    fn has_room(&self, _clients: usize) -> bool {
        true
    }

    /// Returns how many bytes one call reads at most.
    fn buffer(&self) -> usize {
        16 * 1024
    }

    fn read(&mut self, client: &mut Client) -> io::Result<()> {
        if client.ended || !self.may_say_more(client) {
            return Ok(());
        }
        let mut buffer = vec![0; self.buffer()];
        match client.stream.read(&mut buffer) {
            Ok(0) => client.ended = true,
            Ok(count) => {
                client.last_moved = Instant::now();
                self.take(client, &buffer[..count])?;
                client.said += count;
            }
            Err(error) if is_for_later(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn may_say_more(&self, client: &Client) -> bool {
        client.owed.len() < MOST_OWED
    }

    /// Handles bytes that came in: the server owes them.
    fn take(&mut self, client: &mut Client, bytes: &[u8]) -> io::Result<()> {
        client.owed.extend(bytes);
        Ok(())
    }

    fn write(&mut self, client: &mut Client) -> io::Result<()> {
        while !client.owed.is_empty() {
            match client.stream.write(client.owed.as_slices().0) {
                Ok(count) => {
                    client.owed.drain(..count);
                    client.last_moved = Instant::now();
                }
                Err(error) if is_for_later(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn turn(&mut self, client: &mut Client) -> io::Result<()> {
        self.read(client)?;
        self.write(client)
    }

    fn interest(&self, client: &Client) -> Interest {
        match (
            !client.ended && self.may_say_more(client),
            client.owed.is_empty(),
        ) {
            (true, true) => Interest::READABLE,
            (true, false) => Interest::READABLE | Interest::WRITABLE,
            (false, _) => Interest::WRITABLE,
        }
    }

    /// After a turn, tells the selector what to wait for, so that it reports again what is ready.
    fn watch(&mut self, registry: &Registry, client: &mut Client, token: Token) -> io::Result<()> {
        let interest = self.interest(client);
        registry.reregister(&mut client.stream, token, interest)
    }

    fn is_done(&self, client: &Client) -> bool {
        client.ended && client.owed.is_empty()
    }

    /// Handles a client's error. `Err` ends the server.
    fn lost(&mut self, _error: io::Error) -> io::Result<()> {
        Ok(())
    }

    /// Handles a client that has disconnected. `Err` ends the server.
    fn gone(&mut self, _client: Client) -> io::Result<()> {
        Ok(())
    }

    fn is_idle(&self, client: &Client, idle: Duration) -> bool {
        client.last_moved.elapsed() >= idle
    }

    fn timeout(
        &self,
        clients: &HashMap<Token, Client>,
        idle: Option<Duration>,
    ) -> Option<Duration> {
        let longest = clients.values().map(|client| client.last_moved.elapsed());
        idle.and_then(|idle| longest.max().map(|longest| idle.saturating_sub(longest)))
    }

    /// Reports an address that it cannot bind.
    fn fails(&self, error: io::Error) -> ExitCode {
        eprintln!("cannot listen: {error}");
        ExitCode::FAILURE
    }

    fn usage(&self) -> ExitCode {
        eprintln!("{USAGE}");
        ExitCode::from(2)
    }
}

/// Runs the program.
pub fn main(mut server: impl Server) -> ExitCode {
    let Some((address, idle)) = arguments() else {
        return server.usage();
    };
    match server.listen(address) {
        Ok(listener) => serve(&mut server, listener, idle).map_or_else(
            |error| {
                eprintln!("the server ends: {error}");
                ExitCode::FAILURE
            },
            |()| ExitCode::SUCCESS,
        ),
        Err(error) => server.fails(error),
    }
}

fn serve(
    server: &mut impl Server,
    mut listener: TcpListener,
    idle: Option<Duration>,
) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(256);
    let mut clients: HashMap<Token, Client> = HashMap::new();
    let mut last = 0;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    loop {
        match poll.poll(&mut events, server.timeout(&clients, idle)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for token in events.iter().map(|event| event.token()) {
            if token != LISTENER {
                one_turn(server, poll.registry(), &mut clients, token)?;
            }
        }
        last = accept(server, &listener, poll.registry(), &mut clients, last)?;
        if let Some(idle) = idle {
            clients.retain(|_, client| !server.is_idle(client, idle));
        }
    }
}

/// Accepts the waiting clients as long as there is room, and returns the last one's number.
fn accept(
    server: &impl Server,
    listener: &TcpListener,
    registry: &Registry,
    clients: &mut HashMap<Token, Client>,
    mut last: usize,
) -> io::Result<usize> {
    while server.has_room(clients.len()) {
        match listener.accept() {
            Ok((stream, _)) => {
                last += 1;
                let mut client = Client::new(stream);
                registry.register(&mut client.stream, Token(last), Interest::READABLE)?;
                clients.insert(Token(last), client);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => {
                eprintln!("cannot accept a client: {error}");
                break;
            }
        }
    }
    Ok(last)
}

fn one_turn(
    server: &mut impl Server,
    registry: &Registry,
    clients: &mut HashMap<Token, Client>,
    token: Token,
) -> io::Result<()> {
    let Some(client) = clients.get_mut(&token) else {
        return Ok(());
    };
    let turn = server.turn(client);
    let goes_on = turn.is_ok() && !server.is_done(client);
    if goes_on && server.watch(registry, client, token).is_ok() {
        return Ok(());
    }
    let gone = clients.remove(&token);
    turn.or_else(|error| server.lost(error))?;
    gone.map_or(Ok(()), |client| server.gone(client))
}

/// Returns the address and the time for `--idle`, or `None` if the arguments are unusable.
pub fn arguments() -> Option<(SocketAddr, Option<Duration>)> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let mut idle = None;
    if let Some(at) = words.iter().position(|word| word == "--idle") {
        let seconds = words.get(at + 1)?.parse().ok()?;
        idle = Some(Duration::try_from_secs_f64(seconds).ok()?);
        words.drain(at..=at + 1);
    }
    let host = words.first().map_or("127.0.0.1", String::as_str);
    let port = words.get(1).map_or("65432", String::as_str).parse().ok()?;
    let address = SocketAddr::new(host.parse().ok()?, port);
    (words.len() <= 2).then_some((address, idle))
}
