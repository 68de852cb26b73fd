//! The facts that the kernel shows of a program. Sentences about them are made where reports are
//! made.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux makes these facts"))]

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Why the harness cannot answer a question about a program on this system.
pub const CANNOT_SEE: &str = if cfg!(target_os = "linux") {
    "the kernel does not let the grader look into the program here (it needs /proc and pidfd_getfd)"
} else {
    "only Linux shows this, and this system is another one"
};

/// How empty the send queues of all sockets must be for a standstill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendQueues {
    /// Nothing is queued. Queued bytes may arrive at any moment, at the latest when a timer of the
    /// kernel fires.
    Empty,
    /// Nothing is in flight. Bytes may be queued behind a closed window: a check may leave bytes
    /// unread on purpose.
    Stalled,
}

/// The numbers of TCP sockets of a program. A socket that several of its processes share counts
/// once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketCounts {
    /// All of them, also those that listen.
    pub(crate) held: usize,
    /// Those that have received their peer's end of stream and are not closed yet: in CLOSE_WAIT or
    /// in a state that follows it (RFC 9293, section 3.3.2).
    pub(crate) half_closed: usize,
}

impl SocketCounts {
    /// Adds two of them.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { held: self.held + other.held, half_closed: self.half_closed + other.half_closed }
    }
}

/// A socket of the harness: its end of a connection, or its listening socket.
#[derive(Debug)]
pub(crate) struct HarnessSocket {
    pub(crate) role: Role,
    /// Its local address.
    pub(crate) address: SocketAddr,
    /// `None` for a listening socket, and once the harness has closed it.
    pub(crate) stream: Option<Arc<TcpStream>>,
    /// The number of bytes that the harness has written to it.
    pub(crate) written: usize,
}

/// The numbers of processes and threads of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskCounts {
    /// Its processes.
    pub(crate) processes: usize,
    /// The threads of all its processes. A process has at least one.
    pub(crate) threads: usize,
}

/// How often each thread of a program was on a processor, and what those that have ended used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    /// The number of times that each thread was on a processor, by process and thread.
    pub(crate) threads: BTreeMap<(u32, u32), u64>,
    /// The processor time of threads that have ended, of all processes that live.
    pub(crate) ended: Duration,
    /// The page faults of child processes that have ended.
    pub(crate) faults_of_children: u64,
}

impl Runs {
    /// Returns the threads that were on a processor since `earlier`.
    pub(crate) fn at_work_since<'a>(
        &'a self,
        earlier: &'a Self,
    ) -> impl Iterator<Item = (u32, u32)> + 'a {
        let ran = |(thread, times): (&(u32, u32), &u64)| {
            (earlier.threads.get(thread) != Some(times)).then_some(*thread)
        };
        self.threads.iter().filter_map(ran)
    }

    /// Returns whether threads or processes have ended since `earlier`.
    pub(crate) fn shows_ended_since(&self, earlier: &Self) -> bool {
        /// No thread starts and ends in less; the clocks of two moments may differ by less.
        const LEAST: Duration = Duration::from_micros(8);
        self.ended.saturating_sub(earlier.ended) > LEAST
            || self.faults_of_children > earlier.faults_of_children
    }
}

/// Processor time as the scheduler counts it (`/proc/PID/task/TID/schedstat`), the sum of all
/// threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CpuTime {
    /// The time on a processor.
    pub(crate) ran: Duration,
    /// The time in which a thread was runnable and waited for a processor.
    pub(crate) queued: Duration,
}

impl CpuTime {
    /// Adds two of them.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { ran: self.ran + other.ran, queued: self.queued + other.queued }
    }

    /// Returns what was spent since `earlier`. Threads that have ended since then count as 0.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            ran: self.ran.saturating_sub(earlier.ran),
            queued: self.queued.saturating_sub(earlier.queued),
        }
    }
}

/// Every thread of a program, while each is blocked without a timeout.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Standstill(pub(super) Vec<BlockedThread>);

/// A thread that is blocked without a timeout.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BlockedThread {
    pub(super) tid: u32,
    /// The number of its system call.
    pub(super) call: i64,
    /// The number of times that it was on a processor.
    pub(super) times_run: u64,
}

/// What one program does: what its threads wait for, and what it has not read or accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgramState {
    /// The program's name in its practical: `echo_server`.
    pub program: String,
    /// The number of its processes.
    pub processes: usize,
    /// What the threads of all its processes do.
    pub threads: Vec<ThreadState>,
    /// The number of further threads, which are not in `threads`: there are too many, or the kernel
    /// does not show them.
    pub further: usize,
    /// The processor time that it has used since its start, in whole clock ticks (proc_pid_stat(5):
    /// utime, stime, cutime, cstime).
    pub cpu_time: Duration,
    /// Its connections with the harness, in the order in which the harness made them.
    pub connections: Vec<ConnectionState>,
    /// The clients that are connected and that it has not accepted, in the same order.
    pub pending: Vec<PendingClient>,
}

/// What one thread does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThreadState {
    /// It is on a processor or waits for one (proc_pid_stat(5), state `R`).
    Running,
    /// A signal or a debugger has stopped it (states `T` and `t`).
    Stopped,
    /// It is in a system call that has not returned (proc_pid_syscall(5)).
    Waits(SystemCall),
}

/// A system call that a thread is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemCall {
    /// Its name as in syscalls(2): `recvfrom`.
    pub name: String,
    /// What it waits for.
    pub waits_for: WaitsFor,
    /// Whether it has a timeout, as an argument or of its socket (socket(7), SO_RCVTIMEO).
    pub has_timeout: bool,
}

/// What a system call waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitsFor {
    /// A new connection on a listening socket.
    Listener,
    /// A connection to the harness.
    Connection(Role),
    /// A connection to this address, which is not the harness's.
    ConnectionTo(SocketAddr),
    /// A socket that is neither listening nor connected.
    UnconnectedSocket,
    /// A socket of which the kernel shows nothing else.
    Socket,
    /// One of these many descriptors (poll(2), select(2), epoll(7)); `None` where the kernel does
    /// not show the number.
    Descriptors(Option<usize>),
    /// Descriptor 0.
    StandardInput,
    /// Descriptor 1.
    StandardOutput,
    /// Descriptor 2.
    StandardError,
    /// A pipe on another descriptor.
    Pipe,
    /// A descriptor without a file (proc_pid_fd(5), `anon_inode:`), by its kind: `timerfd`.
    Anonymous(String),
    /// Any other descriptor, by the path of its file.
    File(String),
    /// A child process (wait(2)).
    Child,
    /// Another thread or a lock (futex(2)).
    OtherThread,
    /// A point in time (nanosleep(2)).
    Time,
    /// Something else, which the name of the call tells.
    Itself,
}

/// The part that the harness plays at its end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The client of this name in the transcript.
    Client(String),
    /// The server.
    Server,
}

/// A connection between the program and the harness, seen from the program's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionState {
    /// What the harness is at its end.
    pub with: Role,
    /// The number of bytes in the program's receive queue (tcp(7), SIOCINQ).
    pub unread: usize,
    /// The number of bytes in the harness's send queue, which the program's kernel has not
    /// acknowledged (tcp(7), SIOCOUTQ).
    pub unacknowledged: usize,
    /// Whether the harness's end of stream has arrived (poll(2), POLLRDHUP).
    pub ended: bool,
    /// Whether an event loop of the program waits for something to read from it; `None` where there
    /// is no event loop, or the kernel does not show what it waits for.
    pub watched: Option<bool>,
}

/// A client that is connected and that the program has not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingClient {
    /// Its name in the transcript.
    pub client: String,
    /// The number of bytes that it has sent and that have arrived.
    pub unread: usize,
}
