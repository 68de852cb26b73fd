//! What every thread of a program does right now, from `/proc/PID/task/TID` and from the sockets it
//! holds.
//!
//! Threads and processes come and go meanwhile: each read may fail, and then its fact is left out.
//! The work is bounded.

use std::collections::BTreeSet;
use std::mem;
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use super::super::facts::{Call as Named, Connection, On, Thread, Waiting};
use super::super::{OurEnd, Whereabouts, Who};
use super::*;

/// After this long no further threads and sockets are looked at.
const LOOK: Duration = Duration::from_millis(12);

/// So many threads are looked at however long that takes.
const ALWAYS: usize = 32;

pub(crate) fn whereabouts(launcher: u32, ours: &[OurEnd]) -> Option<Whereabouts> {
    let began = Instant::now();
    let pids = descendants(launcher);
    let processes = opened(&pids);
    let held = Held::by(&processes, began, ours);
    let mut found = Whereabouts {
        processes: processes.len(),
        processor_time: processor_time_of(launcher, &pids).unwrap_or_default(),
        ..Whereabouts::default()
    };
    let mut loops = Watch::default();
    for process in &processes {
        for tid in telling_first(threads(process.pid)) {
            let may_look = found.threads.len() < ALWAYS || began.elapsed() < LOOK;
            let Some(stat) = stat_of(&format!("{}/task/{tid}", process.pid)).filter(|_| may_look)
            else {
                found.further += usize::from(!may_look);
                continue;
            };
            if !matches!(stat.state, 'Z' | 'X') {
                match process.thread(tid, stat.state, ours, &mut loops) {
                    Some(thread) => found.threads.push(thread),
                    None => found.further += 1,
                }
            }
        }
    }
    if found.threads.is_empty() && found.further > 0 {
        return None;
    }
    found.waiting = held.waiting(ours);
    found.connections = held.connections(&loops);
    Some(found)
}

/// The first thread, which most often accepts, and then the youngest: the last client's is among
/// them.
fn telling_first(mut threads: Vec<u32>) -> Vec<u32> {
    threads.sort_unstable();
    if let [_, others @ ..] = threads.as_mut_slice() {
        others.reverse();
    }
    threads
}

impl Process {
    fn socket(&self, fd: i32, inode: u64) -> Option<Seen> {
        match self.duplicate(fd) {
            Copied::Socket(socket) => Some(Seen::of(&socket, inode)),
            Copied::Gone => None,
            Copied::Refused => {
                let table = |name| fs::read_to_string(self.file(name)).unwrap_or_default();
                [table("net/tcp"), table("net/tcp6")]
                    .iter()
                    .flat_map(|table| table.lines())
                    .find_map(|line| seen_in_line(line, inode))
            }
        }
    }

    /// `None` where the kernel does not show it.
    fn thread(&self, tid: u32, state: char, ours: &[OurEnd], loops: &mut Watch) -> Option<Thread> {
        let text = fs::read_to_string(format!("/proc/{}/task/{tid}/syscall", self.pid)).ok()?;
        Some(match (state, call_in(&text)) {
            ('T' | 't', _) => Thread::Stopped,
            ('R', _) | (_, None) => Thread::Running,
            (_, Some(call)) => Thread::Waits(self.named(&call, ours, loops)),
        })
    }

    fn named(&self, call: &Call, ours: &[OurEnd], loops: &mut Watch) -> Named {
        let name = syscall_numbers::native::sys_call_name(call.number as libc::c_long)
            .map_or_else(|| format!("system call {}", call.number), str::to_owned);
        let by_itself = || !waits_without_limit(self, call);
        let (on, limited) = match call.number {
            libc::SYS_futex => (On::OtherThread, by_itself()),
            libc::SYS_nanosleep | libc::SYS_clock_nanosleep => (On::Time, false),
            libc::SYS_wait4 | libc::SYS_waitid => (On::Child, false),
            number if takes_a_descriptor(number) => {
                let (on, limited) = self.on_descriptor(call.arguments[0] as i32, ours);
                loops.unknown |= matches!(on, On::Connection(_)); // a thread of its own sees to that connection
                (on, limited)
            }
            _ => match self.watched_by(call) {
                Some(watch) if watch.count == 0 && by_itself() => (On::Time, false),
                Some(watch) => {
                    let only = watch.only.filter(|_| watch.count == 1);
                    let on = only.map_or(On::Descriptors(Some(watch.count)), |fd| {
                        self.on_descriptor(fd, ours).0
                    });
                    loops.add(watch);
                    (on, by_itself())
                }
                None if is_event_loop(call.number) => {
                    loops.unknown = true;
                    (On::Descriptors(None), by_itself())
                }
                None => (On::Itself, false),
            },
        };
        Named { name, on, limited }
    }

    /// What a descriptor is, and whether waiting for it ends by itself.
    fn on_descriptor(&self, fd: i32, ours: &[OurEnd]) -> (On, bool) {
        let Some(target) = self.target(fd) else { return (On::Itself, false) };
        let thing = |words: &str| (On::Thing(words.to_owned()), false);
        if let Some(inode) = inode_of(&target) {
            let Some(seen) = self.socket(fd, inode) else { return thing("a socket") };
            return (seen.on(ours), seen.limited);
        }
        match (fd, target.as_str()) {
            (0, _) => (On::StandardInput, false),
            (1, _) => thing("standard output"),
            (2, _) => thing("standard error"),
            (_, target) if target.starts_with("pipe:") => thing("a pipe"),
            (_, target) => match target.strip_prefix("anon_inode:") {
                Some(kind) => {
                    thing(&format!("a descriptor of the kind {}", kind.trim_matches(['[', ']'])))
                }
                None => thing(target),
            },
        }
    }

    /// What an event loop waits for; `None` where the call is another one, or its list cannot be
    /// read.
    fn watched_by(&self, call: &Call) -> Option<Watch> {
        let mut watch = Watch::default();
        for asked in asked::by_event_loop(&self.folder(), call)? {
            watch.entry(self, asked.fd, asked.to_read);
        }
        Some(watch)
    }
}

/// What event loops wait for.
#[derive(Default)]
struct Watch {
    count: usize,
    /// The first descriptor.
    only: Option<i32>,
    /// The sockets that are watched for something to read.
    sockets: BTreeSet<u64>,
    any: bool,
    /// One of the lists could not be read, or holds another poller.
    unknown: bool,
}

impl Watch {
    fn entry(&mut self, process: &Process, fd: i32, to_read: bool) {
        self.count += 1;
        self.only.get_or_insert(fd);
        let target = process.target(fd).unwrap_or_default();
        self.sockets.extend(inode_of(&target).filter(|_| to_read));
        self.unknown |= target.contains("[eventpoll]") || target.contains("[io_uring]");
    }

    fn add(&mut self, other: Self) {
        self.any = true;
        self.unknown |= other.unknown;
        self.sockets.extend(other.sockets);
    }

    fn watches(&self, inode: u64) -> Option<bool> {
        (self.any && !self.unknown).then(|| self.sockets.contains(&inode))
    }
}

/// A socket of the program's.
struct Seen {
    inode: u64,
    peer: Option<SocketAddr>,
    /// How many connections wait to be accepted, where it listens.
    queue: Option<usize>,
    unread: usize,
    ended: bool,
    limited: bool,
}

impl Seen {
    fn of(socket: &Socket, inode: u64) -> Self {
        let queue = listens(socket).then(|| accept_queue(socket));
        Self {
            inode,
            peer: peer_of(socket),
            queue,
            unread: ioctl_fionread(socket).map_or(0, |bytes| bytes as usize),
            ended: has_seen_the_end(socket),
            limited: !has_no_timeout(socket),
        }
    }

    fn on(&self, ours: &[OurEnd]) -> On {
        match (self.queue, self.peer) {
            (Some(_), _) => On::Listener,
            (None, Some(peer)) => match whose(ours, peer) {
                Some(end) => On::Connection(end.who.clone()),
                None => On::ConnectionTo(peer.to_string()),
            },
            (None, None) => On::Thing("a socket without a connection".to_owned()),
        }
    }
}

fn whose(ours: &[OurEnd], address: SocketAddr) -> Option<&OurEnd> {
    ours.iter().find(|end| end.address == address)
}

fn inode_of(target: &str) -> Option<u64> {
    target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// The length of a listening socket's queue is where other sockets count unacknowledged segments
/// (tcp_get_info in Linux).
fn accept_queue(socket: &Socket) -> usize {
    // SAFETY: all-zero bytes are a valid tcp_info, which holds integers only.
    let mut info: libc::tcp_info = unsafe { mem::zeroed() };
    let mut length = mem::size_of_val(&info) as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `info`.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &mut length,
        )
    };
    if result == 0 { info.tcpi_unacked as usize } else { 0 }
}

/// One line of `/proc/net/tcp`, where a socket itself cannot be had: `sl local remote st tx:rx …
/// inode`.
fn seen_in_line(line: &str, inode: u64) -> Option<Seen> {
    const LISTEN: &str = "0A";
    const CLOSE_WAIT: &str = "08";
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    if fields.get(9)?.parse() != Ok(inode) {
        return None;
    }
    let (_, received) = fields[4].split_once(':')?;
    let received = usize::from_str_radix(received, 16).ok()?;
    let listening = fields[3] == LISTEN;
    Some(Seen {
        inode,
        peer: address_in_table(fields[2]).filter(|_| !listening),
        queue: listening.then_some(received),
        unread: if listening { 0 } else { received },
        ended: fields[3] == CLOSE_WAIT,
        limited: false,
    })
}

/// The sockets that a program holds, each once.
struct Held<'a> {
    /// With the place of the harness's end among all of them.
    connections: Vec<(usize, &'a OurEnd, Seen)>,
    /// How many connections wait to be accepted.
    queue: usize,
    /// All were seen.
    complete: bool,
}

impl<'a> Held<'a> {
    fn by(processes: &[Process], began: Instant, ours: &'a [OurEnd]) -> Self {
        let mut held = Self { connections: Vec::new(), queue: 0, complete: true };
        let mut known = BTreeSet::new();
        for process in processes {
            for (fd, target) in process.descriptors() {
                let Some(inode) = inode_of(&target).filter(|inode| known.insert(*inode)) else {
                    continue;
                };
                if began.elapsed() > LOOK && known.len() > ALWAYS {
                    held.complete = false;
                    return held;
                }
                let Some(seen) = process.socket(fd, inode) else { continue };
                held.queue += seen.queue.unwrap_or(0);
                let place =
                    seen.peer.and_then(|peer| ours.iter().position(|end| end.address == peer));
                held.connections.extend(place.map(|at| (at, &ours[at], seen)));
            }
        }
        held.connections.sort_by_key(|(place, ..)| *place);
        held
    }

    /// Clients of ours that are connected to no socket of the program's: as many of the last ones
    /// as its queues hold.
    fn waiting(&self, ours: &[OurEnd]) -> Vec<Waiting> {
        if !self.complete {
            return Vec::new();
        }
        let is_held =
            |end: &OurEnd| self.connections.iter().any(|(_, held, _)| held.address == end.address);
        let candidates = ours.iter().filter(|end| !is_held(end)).filter_map(|end| {
            match (&end.who, &end.stream) {
                (Who::Client(client), Some(stream)) if is_open(stream) => {
                    let arrived = end.written.saturating_sub(on_the_way(stream));
                    Some(Waiting { client: client.clone(), unread: arrived })
                }
                _ => None,
            }
        });
        let mut waiting: Vec<Waiting> = candidates.collect();
        waiting.drain(..waiting.len().saturating_sub(self.queue));
        waiting
    }

    fn connections(self, loops: &Watch) -> Vec<Connection> {
        let connection = |(_, end, seen): (usize, &OurEnd, Seen)| Connection {
            with: end.who.clone(),
            unread: seen.unread,
            on_the_way: end.stream.as_deref().map_or(0, on_the_way),
            ended: seen.ended,
            watched: loops.watches(seen.inode),
        };
        self.connections.into_iter().map(connection).collect()
    }
}

fn on_the_way(stream: &TcpStream) -> usize {
    unacknowledged(stream).map_or(0, |bytes| usize::try_from(bytes).unwrap_or(0))
}

/// Neither ended nor reset by the program's side.
fn is_open(stream: &TcpStream) -> bool {
    let mut asked = [PollFd::new(stream, PollFlags::RDHUP)];
    poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(0)
}

/// System calls whose first argument is the descriptor that they wait for.
fn takes_a_descriptor(number: i64) -> bool {
    [
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_connect,
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_recvmmsg,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_sendmmsg,
        libc::SYS_sendfile,
        libc::SYS_splice,
        libc::SYS_flock,
        libc::SYS_fcntl,
        libc::SYS_close,
    ]
    .contains(&number)
}

fn is_event_loop(number: i64) -> bool {
    #[cfg(target_arch = "x86_64")]
    if [libc::SYS_poll, libc::SYS_select, libc::SYS_epoll_wait].contains(&number) {
        return true;
    }
    [libc::SYS_ppoll, libc::SYS_pselect6, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2]
        .contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_tells_of_a_socket_that_cannot_be_had() {
        let line = "  1: 0100007F:1F90 0100007F:8000 01 00000000:0000000C 00:00000000 00000000     0        0 12345 1 0";
        let seen = seen_in_line(line, 12345).unwrap();
        assert_eq!((seen.peer, seen.unread), (Some("127.0.0.1:32768".parse().unwrap()), 12));
        assert_eq!((seen.queue, seen.ended), (None, false));
        assert!(seen_in_line(line, 1).is_none());

        let listener = line.replace(" 01 ", " 0A ");
        assert_eq!(seen_in_line(&listener, 12345).unwrap().queue, Some(12));
        assert!(seen_in_line(&line.replace(" 01 ", " 08 "), 12345).unwrap().ended);
    }

    #[test]
    fn a_listening_socket_counts_who_waits() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let clients: Vec<_> =
            (0..3).map(|_| TcpStream::connect(listener.local_addr().unwrap()).unwrap()).collect();
        let socket = Socket::from(OwnedFd::from(listener));
        assert_eq!(accept_queue(&socket), clients.len());
        _ = socket.accept().unwrap();
        assert_eq!(accept_queue(&socket), clients.len() - 1);
    }
}
