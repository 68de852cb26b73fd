//! Where a program is when a wait for it ends in vain: the facts, and the sentence that they make.
//!
//! The facts are the kernel's ([`Tree::whereabouts`](super::Tree::whereabouts)); the words are the
//! same on every system.

use std::fmt;
use std::time::Duration;

/// So many clients, or kinds of waiting, are named one by one.
const NAMED: usize = 3;

/// Where every program of a check was. As text it is one sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    pub(crate) programs: Vec<Whereabouts>,
}

/// Where the threads of one program were, and what they have not taken yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Whereabouts {
    pub(crate) program: String,
    pub(crate) processes: usize,
    pub(crate) threads: Vec<Thread>,
    /// Threads that were not looked at: there are too many, or the kernel does not show them.
    pub(crate) further: usize,
    pub(crate) processor_time: Duration,
    /// The connections with the harness that the program holds.
    pub(crate) connections: Vec<Connection>,
    /// Clients that are connected, and that the program has not accepted.
    pub(crate) waiting: Vec<Waiting>,
}

/// What one thread does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Thread {
    /// It works, or waits for a processor.
    Running,
    /// A signal has stopped it.
    Stopped,
    /// It is in a system call that has not come back.
    Waits(Call),
}

/// A system call that a thread is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// As its man page is called: `recvfrom`.
    pub(crate) name: String,
    pub(crate) on: On,
    /// It ends by itself after a time.
    pub(crate) limited: bool,
}

/// What a system call waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum On {
    /// Somebody who connects.
    Listener,
    /// The harness, which is at the other end.
    Connection(Who),
    /// Somebody else at the other end: `127.0.0.1:7000`.
    ConnectionTo(String),
    /// One of several descriptors; how many, where that can be told.
    Descriptors(Option<usize>),
    StandardInput,
    /// Anything else that has a descriptor, with its article: `a pipe`.
    Thing(String),
    Child,
    OtherThread,
    Time,
    /// Whatever its name says.
    Itself,
}

/// Whom the harness plays at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    Client(String),
    Server,
}

/// A connection with the harness, on the program's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) with: Who,
    /// Bytes that have arrived and that the program has not read.
    pub(crate) unread: usize,
    /// Bytes that have not arrived yet, since there is no room for them.
    pub(crate) on_the_way: usize,
    /// The end of the harness's side has arrived.
    pub(crate) ended: bool,
    /// Whether an event loop watches it for something to read; `None` where the program has none.
    pub(crate) watched: Option<bool>,
}

/// A client that nobody has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) client: String,
    /// Bytes that it has sent.
    pub(crate) unread: usize,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.programs.as_slice() {
            [one] => one.fmt(f),
            several => {
                let each: Vec<String> =
                    several.iter().map(|one| format!("{}: {one}", one.program)).collect();
                f.write_str(&each.join("; "))
            }
        }
    }
}

impl fmt::Display for Whereabouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.threads.as_slice() {
            [one] if self.further == 0 => f.write_str(&self.alone(one))?,
            _ => f.write_str(&self.together())?,
        }
        f.write_str(&self.meanwhile())?;
        f.write_str(&self.still_open())
    }
}

impl Whereabouts {
    /// The only thread.
    fn alone(&self, thread: &Thread) -> String {
        let call = match thread {
            Thread::Running => {
                return format!(
                    "running: it has used {} of processor time",
                    time(self.processor_time)
                );
            }
            Thread::Stopped => return "stopped by a signal".to_owned(),
            Thread::Waits(call) => call,
        };
        let Call { name, on, limited } = call;
        match on {
            On::Time => format!("asleep in {name}"),
            On::OtherThread if !limited => {
                format!("waiting in {name}: for another thread, or for a lock")
            }
            On::Child => format!("in {name}: for a child process"),
            On::Connection(who) => {
                let unread = self.connections.iter().find(|connection| connection.with == *who);
                let unread =
                    unread.filter(|connection| connection.unread > 0 || *who == Who::Server);
                let bytes = unread.map_or_else(String::new, |connection| {
                    format!(", with {}", connection.bytes())
                });
                format!("{}{}{bytes}", call.with_verb(), on.words(1))
            }
            _ => format!("{}{}", call.with_verb(), on.words(1)),
        }
    }

    /// Several threads: those that do the same are one group, and the telling groups come first.
    fn together(&self) -> String {
        let whose = match self.processes {
            0 | 1 => "threads".to_owned(),
            n if n == self.threads.len() + self.further => "processes".to_owned(),
            n => format!("threads in {n} processes"),
        };
        let groups = self.groups();
        let mut said: Vec<String> = match groups.as_slice() {
            [only] if self.further == 0 => {
                let all = if only.len() == 2 { "both" } else { "all" };
                vec![format!("{all} {}", self.group(only))]
            }
            _ => groups
                .iter()
                .take(NAMED)
                .map(|group| format!("{} {}", count(group.len()), self.group(group)))
                .collect(),
        };
        let more = groups.iter().skip(NAMED).map(Vec::len).sum::<usize>() + self.further;
        if more > 0 {
            said.push(format!("and {more} more"));
        }
        format!("{} {whose}: {}", self.threads.len() + self.further, said.join(", "))
    }

    fn groups(&self) -> Vec<Vec<&Thread>> {
        let mut groups: Vec<Vec<&Thread>> = Vec::new();
        for thread in &self.threads {
            match groups.iter_mut().find(|group| group[0].is_like(thread)) {
                Some(group) => group.push(thread),
                None => groups.push(vec![thread]),
            }
        }
        groups.sort_by_key(|group| group[0].rank());
        groups
    }

    fn group(&self, group: &[&Thread]) -> String {
        let call = match group[0] {
            Thread::Running => {
                return format!("running ({} of processor time used)", time(self.processor_time));
            }
            Thread::Stopped => return "stopped by a signal".to_owned(),
            Thread::Waits(call) => call,
        };
        let limit = if call.limited { " (with a time limit)" } else { "" };
        let asleep = if call.on == On::Time { "asleep " } else { "" };
        let on = match call.on {
            On::Connection(Who::Client(_)) => {
                let place = |with: &Who| self.connections.iter().position(|one| one.with == *with);
                let mut theirs: Vec<&Who> =
                    group.iter().filter_map(|thread| thread.connection()).collect();
                theirs.sort_by_key(|with| place(with).unwrap_or(usize::MAX));
                on_the_connections_of(
                    &theirs.into_iter().filter_map(Who::client).collect::<Vec<_>>(),
                )
            }
            _ => call.on.words(group.len()),
        };
        format!("{asleep}in {}{limit}{on}", call.name)
    }

    /// What lies there meanwhile.
    fn meanwhile(&self) -> String {
        let alone = match self.threads.as_slice() {
            [one] => one.connection(),
            _ => None, // with the connection that it is blocked on, an only thread has told of its bytes
        };
        let unread: Vec<&Connection> = self
            .connections
            .iter()
            .filter(|one| one.unread > 0 && Some(&one.with) != alone)
            .collect();
        let said = [unread_words(&unread), waiting_words(&self.waiting)];
        let said: Vec<String> = said.into_iter().filter(|words| !words.is_empty()).collect();
        match said.as_slice() {
            [] if self.has_event_loop() && !self.connections.is_empty() => {
                "; nothing lies unread".to_owned()
            }
            [] => String::new(),
            said => format!(", while {}", said.join(" and ")),
        }
    }

    fn has_event_loop(&self) -> bool {
        self.threads
            .iter()
            .any(|thread| thread.call().is_some_and(|call| matches!(call.on, On::Descriptors(_))))
    }

    /// Connections that no thread is busy with: the client has gone, or everybody waits for the
    /// next one.
    fn still_open(&self) -> String {
        let busy = |with: &Who| self.threads.iter().any(|thread| thread.connection() == Some(with));
        let idle = || self.connections.iter().filter(|one| one.unread == 0 && !busy(&one.with));
        let ended: Vec<&str> =
            idle().filter(|one| one.ended).filter_map(|one| one.with.client()).collect();
        let open: Vec<&str> =
            idle().filter(|one| !one.ended).filter_map(|one| one.with.client()).collect();
        let only_accept = self.further == 0
            && self
                .threads
                .iter()
                .all(|thread| matches!(thread, Thread::Waits(call) if call.on == On::Listener));
        let is_open = |clients: &[&str]| {
            let (connections, are) =
                if clients.len() == 1 { ("connection", "is") } else { ("connections", "are") };
            format!("; the {connections} of {} {are} still open", names(clients))
        };
        match (ended.as_slice(), open.as_slice()) {
            ([], open) if !open.is_empty() && only_accept => is_open(open),
            ([one], _) => is_open(&[one]) + ", though that client has ended its side",
            (several, _) if !several.is_empty() => {
                is_open(several) + ", though they have ended their sides"
            }
            _ => String::new(),
        }
    }
}

impl Thread {
    fn call(&self) -> Option<&Call> {
        match self {
            Self::Waits(call) => Some(call),
            Self::Running | Self::Stopped => None,
        }
    }

    /// Whose connection it waits on.
    fn connection(&self) -> Option<&Who> {
        match &self.call()?.on {
            On::Connection(who) => Some(who),
            _ => None,
        }
    }

    /// They do the same, if not for the same client.
    fn is_like(&self, other: &Self) -> bool {
        let clients = |on: &On| matches!(on, On::Connection(Who::Client(_)));
        match (self.call(), other.call()) {
            (Some(one), Some(two)) if clients(&one.on) && clients(&two.on) => {
                (&one.name, one.limited) == (&two.name, two.limited)
            }
            _ => self == other,
        }
    }

    /// The lower, the more it tells.
    fn rank(&self) -> u8 {
        match self.call().map(|call| &call.on) {
            None => 0,
            Some(On::Listener) => 1,
            Some(On::Connection(_) | On::ConnectionTo(_)) => 2,
            Some(On::Descriptors(_)) => 3,
            Some(On::StandardInput | On::Thing(_) | On::Itself) => 4,
            Some(On::Child) => 5,
            Some(On::Time) => 6,
            Some(On::OtherThread) => 7,
        }
    }
}

impl Call {
    fn with_verb(&self) -> String {
        match self.limited {
            true => format!("in {} (with a time limit)", self.name),
            false => format!("blocked in {}", self.name),
        }
    }
}

impl On {
    /// With a space before it.
    fn words(&self, threads: usize) -> String {
        let its = if threads == 1 { "its" } else { "their" };
        match self {
            Self::Listener => format!(" on {its} listening socket"),
            Self::Connection(Who::Server) => format!(" on {its} connection to the server"),
            Self::Connection(Who::Client(client)) => on_the_connections_of(&[client]),
            Self::ConnectionTo(address) => format!(" on {its} connection to {address}"),
            Self::Descriptors(Some(1)) => " on 1 descriptor".to_owned(),
            Self::Descriptors(Some(count)) => format!(" on {count} descriptors"),
            Self::StandardInput => " on standard input".to_owned(),
            Self::Thing(thing) => format!(" on {thing}"),
            Self::Descriptors(None)
            | Self::Child
            | Self::OtherThread
            | Self::Time
            | Self::Itself => String::new(),
        }
    }
}

impl Who {
    fn client(&self) -> Option<&str> {
        match self {
            Self::Client(name) => Some(name),
            Self::Server => None,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(name) => write!(f, "client {name}"),
            Self::Server => f.write_str("the server"),
        }
    }
}

impl Connection {
    fn bytes(&self) -> String {
        let more = if self.on_the_way > 0 {
            format!(" and {} more on the way", self.on_the_way)
        } else {
            String::new()
        };
        format!("{} unread{more}", bytes(self.unread))
    }
}

fn on_the_connections_of(clients: &[&str]) -> String {
    let connections = if clients.len() == 1 { "connection" } else { "connections" };
    format!(" on the {connections} of {}", names(clients))
}

fn unread_words(connections: &[&Connection]) -> String {
    let unwatched = |one: &Connection| one.watched == Some(false);
    match connections {
        [] => String::new(),
        [one] => {
            let lie = if one.unread == 1 { "lies" } else { "lie" };
            let more = if one.on_the_way > 0 {
                format!(", and {} more are on the way", one.on_the_way)
            } else {
                String::new()
            };
            let where_ =
                if unwatched(one) { " on a connection that it does not watch" } else { "" };
            format!("{} from {} {lie} unread{where_}{more}", bytes(one.unread), one.with)
        }
        several => {
            let clients: Vec<&str> = several.iter().filter_map(|one| one.with.client()).collect();
            let total = several.iter().map(|one| one.unread).sum();
            let all = several.iter().all(|one| unwatched(one));
            let where_ = if all { " on connections that it does not watch" } else { "" };
            format!("{} from {} lie unread{where_}", bytes(total), names(&clients))
        }
    }
}

fn waiting_words(waiting: &[Waiting]) -> String {
    match waiting {
        [] => String::new(),
        [one] if one.unread == 0 => format!("client {} waits to be accepted", one.client),
        [one] => format!(
            "client {}, with {} unread, waits to be accepted",
            one.client,
            bytes(one.unread)
        ),
        several => {
            let clients: Vec<&str> = several.iter().map(|one| one.client.as_str()).collect();
            let total = several.iter().map(|one| one.unread).sum();
            let unread =
                if total > 0 { format!(", with {} unread,", bytes(total)) } else { String::new() };
            format!("{}{unread} wait to be accepted", names(&clients))
        }
    }
}

/// `client a`, `clients a and b`, `clients a, b, c and 7 more`.
fn names(clients: &[&str]) -> String {
    match clients {
        [one] => format!("client {one}"),
        _ if clients.len() <= NAMED + 1 => {
            let (last, others) = clients.split_last().unwrap_or((&"", &[]));
            format!("clients {} and {last}", others.join(", "))
        }
        _ => format!("clients {} and {} more", clients[..NAMED].join(", "), clients.len() - NAMED),
    }
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

/// Small numbers are words.
fn count(number: usize) -> String {
    const WORDS: [&str; 10] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    number
        .checked_sub(1)
        .and_then(|at| WORDS.get(at))
        .map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

fn time(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, on: On) -> Thread {
        Thread::Waits(Call { name: name.to_owned(), on, limited: false })
    }

    fn limited(name: &str, on: On) -> Thread {
        Thread::Waits(Call { name: name.to_owned(), on, limited: true })
    }

    fn client(name: &str) -> Who {
        Who::Client(name.to_owned())
    }

    fn receives(name: &str) -> Thread {
        call("recvfrom", On::Connection(client(name)))
    }

    fn connection(with: Who, unread: usize) -> Connection {
        Connection { with, unread, on_the_way: 0, ended: false, watched: None }
    }

    fn waiting(client: &str, unread: usize) -> Waiting {
        Waiting { client: client.to_owned(), unread }
    }

    /// It holds the connections on which its threads wait.
    fn program(threads: Vec<Thread>) -> Whereabouts {
        let connections =
            threads.iter().filter_map(Thread::connection).map(|with| connection(with.clone(), 0));
        Whereabouts {
            processes: 1,
            connections: connections.collect(),
            threads,
            ..Whereabouts::default()
        }
    }

    #[track_caller]
    fn check(facts: Whereabouts, sentence: &str) {
        assert_eq!(Stuck { programs: vec![facts] }.to_string(), sentence);
    }

    #[test]
    fn one_thread_says_what_it_waits_for() {
        check(program(vec![call("read", On::StandardInput)]), "blocked in read on standard input");
        check(program(vec![call("clock_nanosleep", On::Time)]), "asleep in clock_nanosleep");
        check(program(vec![call("wait4", On::Child)]), "in wait4: for a child process");
        check(
            program(vec![call("futex", On::OtherThread)]),
            "waiting in futex: for another thread, or for a lock",
        );
        check(program(vec![call("pause", On::Itself)]), "blocked in pause");
        check(
            program(vec![call("read", On::Thing("a pipe".to_owned()))]),
            "blocked in read on a pipe",
        );
        check(
            program(vec![limited("poll", On::Connection(client("a")))]),
            "in poll (with a time limit) on the connection of client a",
        );
    }

    #[test]
    fn a_program_that_runs_says_for_how_long() {
        let running = |millis| Whereabouts {
            processor_time: Duration::from_millis(millis),
            ..program(vec![Thread::Running])
        };
        check(running(1234), "running: it has used 1.2 s of processor time");
        check(running(340), "running: it has used 340 ms of processor time");
    }

    #[test]
    fn who_waits_to_be_accepted_is_told() {
        let facts = |waiting| Whereabouts {
            waiting,
            connections: vec![connection(client("a"), 0)],
            ..program(vec![receives("a")])
        };
        check(
            facts(vec![waiting("b", 2)]),
            "blocked in recvfrom on the connection of client a, while client b, with 2 bytes unread, waits to be accepted",
        );
        check(
            facts(vec![waiting("b", 0)]),
            "blocked in recvfrom on the connection of client a, while client b waits to be accepted",
        );
        check(
            facts(vec![waiting("b", 2), waiting("c", 0)]),
            "blocked in recvfrom on the connection of client a, while clients b and c, with 2 bytes unread, wait to be accepted",
        );
    }

    #[test]
    fn a_connection_that_nobody_cares_for_is_told() {
        let accepts = |connections| Whereabouts {
            connections,
            ..program(vec![call("accept4", On::Listener)])
        };
        check(
            accepts(vec![connection(client("a"), 0)]),
            "blocked in accept4 on its listening socket; the connection of client a is still open",
        );
        check(
            accepts(vec![connection(client("a"), 12), connection(client("b"), 0)]),
            "blocked in accept4 on its listening socket, while 12 bytes from client a lie unread; the connection of client b is still open",
        );
        let ended = |name| Connection { ended: true, ..connection(client(name), 0) };
        check(
            accepts(vec![ended("a")]),
            "blocked in accept4 on its listening socket; the connection of client a is still open, though that client has ended its side",
        );
        check(
            accepts(vec![ended("a"), ended("b")]),
            "blocked in accept4 on its listening socket; the connections of clients a and b are still open, though they have ended their sides",
        );
    }

    #[test]
    fn an_event_loop_says_what_it_leaves_unread() {
        let watched = |watched| Whereabouts {
            connections: vec![Connection { watched: Some(watched), ..connection(client("a"), 5) }],
            ..program(vec![call("epoll_wait", On::Descriptors(Some(3)))])
        };
        check(
            watched(true),
            "blocked in epoll_wait on 3 descriptors, while 5 bytes from client a lie unread",
        );
        let read = Whereabouts { connections: vec![connection(client("a"), 0)], ..watched(true) };
        check(read, "blocked in epoll_wait on 3 descriptors; nothing lies unread");
        check(
            watched(false),
            "blocked in epoll_wait on 3 descriptors, while 5 bytes from client a lie unread on a connection that it does not watch",
        );
    }

    #[test]
    fn a_client_has_a_connection_to_the_server() {
        let receives = call("recvfrom", On::Connection(Who::Server));
        let facts = Whereabouts {
            connections: vec![connection(Who::Server, 0)],
            ..program(vec![receives])
        };
        check(facts, "blocked in recvfrom on its connection to the server, with 0 bytes unread");
    }

    #[test]
    fn bytes_that_find_no_room_are_told() {
        let sends = call("sendto", On::Connection(client("a")));
        let full = Connection { on_the_way: 500, ..connection(client("a"), 1000) };
        check(
            Whereabouts { connections: vec![full], ..program(vec![sends]) },
            "blocked in sendto on the connection of client a, with 1000 bytes unread and 500 more on the way",
        );
    }

    #[test]
    fn several_threads_are_one_sentence() {
        check(
            program(vec![call("accept4", On::Listener), receives("a"), receives("b")]),
            "3 threads: one in accept4 on its listening socket, two in recvfrom on the connections of clients a and b",
        );
        check(
            program(vec![call("futex", On::OtherThread), Thread::Running]),
            "2 threads: one running (0 ms of processor time used), one in futex",
        );
        check(
            program(vec![receives("a"), receives("b")]),
            "2 threads: both in recvfrom on the connections of clients a and b",
        );
        check(
            Whereabouts { processes: 2, ..program(vec![call("wait4", On::Child), receives("a")]) },
            "2 processes: one in recvfrom on the connection of client a, one in wait4",
        );
    }

    #[test]
    fn hundreds_of_threads_stay_one_line() {
        let names: Vec<String> = (0..500).map(|number| format!("c{number}")).collect();
        let mut threads = vec![call("accept4", On::Listener)];
        threads.extend(names.iter().map(|name| receives(name)));
        check(
            Whereabouts { further: 7, ..program(threads) },
            "508 threads: one in accept4 on its listening socket, 500 in recvfrom on the connections of clients c0, c1, c2 and 497 more, and 7 more",
        );
    }

    #[test]
    fn two_programs_are_called_by_their_names() {
        let named = |program: &str, threads| Whereabouts {
            program: program.to_owned(),
            ..self::program(threads)
        };
        let client = named(
            "echo_client",
            vec![call("recvfrom", On::ConnectionTo("127.0.0.1:7000".to_owned()))],
        );
        let server = named("echo_server", vec![call("accept4", On::Listener)]);
        assert_eq!(
            Stuck { programs: vec![client, server] }.to_string(),
            "echo_client: blocked in recvfrom on its connection to 127.0.0.1:7000; echo_server: blocked in accept4 on its listening socket"
        );
    }
}
