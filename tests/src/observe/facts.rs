//! What a program does when a check gives up a wait for it: the kernel's facts, without words.
//! Sentences about them are made where reports are made.

use std::time::Duration;

/// What one program does: its threads, and what it leaves waiting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// The program's name in its practical: `echo_server`.
    pub program: String,
    /// The number of its processes that live.
    pub processes: usize,
    /// What its threads do, those of all processes together.
    pub threads: Vec<Thread>,
    /// The number of its threads that are not in `threads`: too many, or the kernel does not show
    /// them.
    pub further: usize,
    /// The processor time that it has used since its start (proc_pid_stat(5): utime, stime, cutime,
    /// cstime), to the clock tick.
    pub processor_time: Duration,
    /// The connections between it and the harness, in the order in which the harness made them.
    pub connections: Vec<Connection>,
    /// Clients that are connected and that it has not accepted, in the same order.
    pub waiting: Vec<Waiting>,
}

/// What one thread does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thread {
    /// It is on a processor, or waits for one (proc_pid_stat(5), state `R`).
    Running,
    /// A signal or a debugger has stopped it (states `T` and `t`).
    Stopped,
    /// It is in a system call that has not returned (proc_pid_syscall(5)).
    Waits(Call),
}

/// A system call that a thread is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its name as in syscalls(2): `recvfrom`.
    pub name: String,
    /// What it waits for.
    pub on: On,
    /// Whether it ends by itself: it has a timeout, or its socket has one (socket(7), SO_RCVTIMEO).
    pub limited: bool,
}

/// What a system call waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    /// A client that connects.
    Listener,
    /// A connection to the harness.
    Connection(Who),
    /// A connection to this address, which is not the harness's: `127.0.0.1:7000`.
    ConnectionTo(String),
    /// One of several descriptors (poll(2), select(2), epoll(7)); their number where the kernel
    /// shows it.
    Descriptors(Option<usize>),
    /// Descriptor 0.
    StandardInput,
    /// Another descriptor, with its article: `a pipe`.
    Thing(String),
    /// A child process (wait(2)).
    Child,
    /// Another thread, or a lock (futex(2)).
    OtherThread,
    /// A moment (nanosleep(2)).
    Time,
    /// What the name of the call says.
    Itself,
}

/// The part that the harness plays at its end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The client of this name in the transcript.
    Client(String),
    /// The server.
    Server,
}

/// A connection between the program and the harness, seen from the program's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// What the harness is at the other end.
    pub with: Who,
    /// The bytes in the receive queue (tcp(7), SIOCINQ).
    pub unread: usize,
    /// The bytes in the send queue of the harness's end that are not acknowledged yet (tcp(7),
    /// SIOCOUTQ).
    pub on_the_way: usize,
    /// Whether the harness's end of stream has arrived (poll(2), POLLRDHUP).
    pub ended: bool,
    /// Whether an event loop of the program waits until it can be read; `None` where the program
    /// has no event loop.
    pub watched: Option<bool>,
}

/// A client that is connected and that the program has not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its name in the transcript.
    pub client: String,
    /// The bytes that it has sent and that have arrived.
    pub unread: usize,
}
