//! The facts that the kernel shows of a program, without words: sentences about them are made where
//! reports are made.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux makes these facts"))]

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Why a question about another process stays unanswered on this system.
pub const CANNOT_SEE: &str = if cfg!(target_os = "linux") {
    "the kernel does not let the grader look into the program here (it needs /proc and pidfd_getfd)"
} else {
    "only Linux shows this, and this system is another one"
};

/// How still the wires must be for a standstill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wires {
    /// Nothing is queued: what the network still holds may come through at any moment, by a timer
    /// of the kernel's at the latest.
    Empty,
    /// Bytes may be held back by a closed window, since somebody does not read on purpose; none are
    /// under way.
    Stalled,
}

/// The sockets that a program holds, each counted once however many of its processes share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sockets {
    /// How many there are, listening ones included.
    pub(crate) held: usize,
    /// How many of them have seen their peer's end of stream and are not closed yet: CLOSE_WAIT and
    /// what may follow it.
    pub(crate) half_closed: usize,
}

/// The harness's end of one connection, or the place where it listens.
#[derive(Debug)]
pub(crate) struct OurEnd {
    pub(crate) who: Who,
    pub(crate) address: SocketAddr,
    /// `None` once the harness has closed it.
    pub(crate) stream: Option<Arc<TcpStream>>,
    /// Bytes that the harness has written to it.
    pub(crate) written: usize,
}

/// What runs of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tasks {
    /// Its processes, the first one among them.
    pub(crate) processes: usize,
    /// The threads of all of them together; a process has at least one.
    pub(crate) threads: usize,
}

/// Processor time, as the scheduler accounts it, summed over all threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Time on a processor.
    pub(crate) ran: Duration,
    /// Time in which a thread could have run and waited for a processor.
    pub(crate) queued: Duration,
}

impl Effort {
    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { ran: self.ran + other.ran, queued: self.queued + other.queued }
    }

    /// What was spent since `earlier`; threads that have ended since count as nothing.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            ran: self.ran.saturating_sub(earlier.ran),
            queued: self.queued.saturating_sub(earlier.queued),
        }
    }
}

/// Every thread of a program, each blocked without a time limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Standstill(pub(super) Vec<BlockedThread>);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BlockedThread {
    pub(super) tid: u32,
    /// The number of the system call.
    pub(super) call: i64,
    /// How often it has run.
    pub(super) times_run: u64,
}

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
    /// A connection to this address, which is not the harness's.
    ConnectionTo(SocketAddr),
    /// A socket that is neither listening nor connected.
    UnconnectedSocket,
    /// A socket of which the kernel shows nothing else.
    Socket,
    /// One of several descriptors (poll(2), select(2), epoll(7)); their number where the kernel
    /// shows it.
    Descriptors(Option<usize>),
    /// Descriptor 0.
    StandardInput,
    /// Descriptor 1.
    StandardOutput,
    /// Descriptor 2.
    StandardError,
    /// A pipe on another descriptor.
    Pipe,
    /// A descriptor without a file, by its kind (proc_pid_fd(5), `anon_inode:`): `timerfd`.
    Anonymous(String),
    /// Any other descriptor, by the path of its file.
    File(String),
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
