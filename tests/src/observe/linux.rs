//! The kernel's own account, from `/proc` (proc(5)) and `pidfd_getfd(2)`.
//!
//! A socket of the program is looked at through a duplicate of its descriptor, held for
//! microseconds. That answers in any network namespace and needs no table of all the machine's
//! sockets, which costs milliseconds to read. Looking changes nothing: no flag, which the program
//! would share, is set.

#[path = "linux/asked.rs"]
mod asked;
#[path = "linux/process.rs"]
mod process;
#[path = "linux/stuck.rs"]
mod stuck;

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionread;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use socket2::{Socket, Type};

use super::{Effort, Sockets, Tasks, Wires};

pub(crate) use stuck::whereabouts;

use process::{Copied, Process};

/// Every thread of a program, each blocked without a time limit: its id, the system call, and how
/// often it has run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Standstill(Vec<(u32, i64, u64)>);

pub(crate) fn listening(
    launcher: u32,
    program: u32,
    with_children: bool,
) -> Option<Vec<SocketAddr>> {
    let own = listening_in(program)?;
    if !own.is_empty() || !with_children {
        return Some(own);
    }
    let all: Option<Vec<_>> =
        descendants_since(launcher, just_now()).into_iter().map(listening_in).collect();
    Some(all?.concat())
}

pub(crate) fn tasks(launcher: u32) -> Option<Tasks> {
    let processes = descendants(launcher);
    let threads: usize = processes.iter().map(|pid| threads(*pid).len()).sum();
    (!processes.is_empty()).then_some(Tasks { processes: processes.len(), threads })
}

pub(crate) fn resident_memory(launcher: u32) -> Option<u64> {
    descendants_since(launcher, just_now()).into_iter().map(proportional_memory).sum()
}

/// `/proc/PID/smaps_rollup` (proc(5)): each resident page divided by how many processes share it. 0
/// where the process has gone.
fn proportional_memory(pid: u32) -> Option<u64> {
    const KIB: u64 = 1024;
    let text = match fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
        Ok(text) => text,
        Err(_) => return stat(pid).is_none_or(|stat| stat.state == 'Z').then_some(0),
    };
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * KIB)
}

pub(crate) fn sockets(launcher: u32) -> Option<Sockets> {
    let mut found = Sockets { held: 0, half_closed: 0 };
    every_socket(&opened(&descendants(launcher)), |socket| {
        let is_tcp = address_of(socket).is_some(); // a pair that wakes an event loop is the program's own business
        found.held += usize::from(is_tcp);
        found.half_closed += usize::from(is_tcp && has_seen_the_end(socket));
        true
    })?;
    Some(found)
}

pub(crate) fn reuses_address(launcher: u32) -> Option<bool> {
    let mut all = None;
    every_socket(&opened(&descendants(launcher)), |socket| {
        if listens(socket) {
            all = socket.reuse_address().ok().map(|reuses| reuses && all.unwrap_or(true));
        }
        true
    })?;
    all
}

pub(crate) fn read_size(launcher: u32) -> Option<usize> {
    let processes = descendants_since(launcher, just_now());
    let tasks =
        processes.into_iter().flat_map(|pid| threads(pid).into_iter().map(move |tid| (pid, tid)));
    tasks.filter_map(|(pid, tid)| Some((pid, waiting_call(pid, tid)?))).find_map(|(pid, call)| {
        let reads = matches!(call.number, libc::SYS_read | libc::SYS_recvfrom);
        let reads = reads && Process::open(pid)?.is_one_of(call.arguments[0], &["socket:"]);
        reads.then_some(call.arguments[2] as usize)
    })
}

pub(crate) fn waits_to_write(launcher: u32) -> Option<usize> {
    let folders = descendants_since(launcher, just_now())
        .into_iter()
        .map(|pid| format!("/proc/{pid}/fdinfo"));
    let files = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let texts = files.filter_map(|file| fs::read_to_string(file.path()).ok());
    let epolls: Vec<String> = texts.filter(|text| text.contains("\ntfd:")).collect();
    let asks = |line: &&str| asked::watched(line).flatten().is_some_and(|asked| asked.to_write);
    (!epolls.is_empty()).then(|| epolls.iter().flat_map(|text| text.lines()).filter(asks).count())
}

pub(crate) fn effort(launcher: u32) -> Option<Effort> {
    let mut sum = Effort::default();
    for pid in descendants_since(launcher, just_now()) {
        for (_, account) in
            threads(pid).into_iter().filter_map(|tid| Some((tid, schedstat(pid, tid)?)))
        {
            sum.ran += account.ran;
            sum.queued += account.queued;
        }
    }
    Some(sum)
}

pub(crate) fn total_processor_time(launcher: u32) -> Option<Duration> {
    processor_time_of(launcher, &descendants(launcher))
}

fn processor_time_of(launcher: u32, processes: &[u32]) -> Option<Duration> {
    let own: Option<u64> =
        processes.iter().map(|&pid| Some(stat(pid)?.ticks_with_children())).sum();
    let reaped = stat(launcher)?.ticks_of_children();
    Some(Duration::from_secs_f64(
        (own.unwrap_or(0) + reaped) as f64 / rustix::param::clock_ticks_per_second() as f64,
    ))
}

pub(crate) fn unread_from(launcher: u32, program: u32, peer: SocketAddr) -> Option<usize> {
    unread_in(&[program], peer)
        .or_else(|| unread_in(&descendants_since(launcher, just_now()), peer))
}

fn unread_in(processes: &[u32], peer: SocketAddr) -> Option<usize> {
    let mut unread = None;
    every_socket(&opened(processes), |socket| {
        if peer_of(socket) == Some(peer) {
            unread = ioctl_fionread(socket).ok().map(|bytes| bytes as usize);
        }
        unread.is_none()
    })?;
    unread
}

pub(crate) fn standstill(
    launcher: u32,
    earliest: Instant,
    wires: Wires,
    left: &BTreeSet<SocketAddr>,
) -> Option<Standstill> {
    let mut picture = Vec::new();
    let processes = opened(&descendants_since(launcher, earliest));
    for process in &processes {
        let pid = process.pid;
        // The youngest threads first: where one is at work, it is most often among them.
        for tid in threads(pid).into_iter().rev().filter(|tid| !process.has_lost(*tid)) {
            let call = waiting_call(pid, tid)?;
            // A thread that is being woken keeps its call until it runs, but it no longer sleeps;
            // on a busy machine that lasts for milliseconds.
            if !waits_without_limit(process, &call)
                || !stat_of(&format!("{pid}/task/{tid}"))?.sleeps()
            {
                return None;
            }
            if asked::is_there(process, &call) {
                return None;
            }
            picture.push((tid, call.number, schedstat(pid, tid)?.times_run));
        }
    }
    let awaits_end = |socket: &Socket| {
        peer_of(socket).is_some_and(|peer| left.contains(&peer)) && !has_seen_the_end(socket)
    };
    let is_at_rest = |socket: &Socket| {
        has_no_timeout(socket)
            && !hears_from_outside(socket)
            && is_still(socket, wires)
            && !awaits_end(socket)
    };
    let still = !processes.iter().any(has_timers) && every_socket(&processes, is_at_rest)?;
    // A program of which nothing is left does not wait: how it ended is about to be heard.
    (still && !picture.is_empty()).then_some(Standstill(picture))
}

/// All descendants of a process as they are now; zombies are left out.
pub(crate) fn descendants(of: u32) -> Vec<u32> {
    descendants_since(of, Instant::now())
}

/// All descendants of a process, by a look that began at `earliest` or later.
fn descendants_since(of: u32, earliest: Instant) -> Vec<u32> {
    static IS_LISTED: LazyLock<bool> =
        LazyLock::new(|| fs::exists("/proc/thread-self/children").unwrap_or(false));
    if *IS_LISTED { listed_below(of) } else { found_below(of, earliest) }
}

/// By the lists of children that the kernel keeps (proc_pid_task(5), children): what else runs on
/// the machine costs nothing. One that is given to another parent in this moment may be overlooked,
/// and is in the next look.
fn listed_below(of: u32) -> Vec<u32> {
    let mut seen = BTreeSet::new();
    let mut below = vec![of];
    let mut next = 0;
    while next < below.len() {
        // Whoever was given to another thread of the same process in this moment is on two lists.
        below.extend(children(below[next]).into_iter().filter(|child| seen.insert(*child)));
        next += 1;
    }
    below.split_off(1).into_iter().filter(|pid| living_parent(*pid).is_some()).collect()
}

/// The children of all threads of a process; none where the kernel does not list them.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()
        })
        .collect()
}

/// By a look at all processes of the machine, where the kernel was built without those lists
/// (CONFIG_PROC_CHILDREN): checks that run at the same time share their looks.
fn found_below(of: u32, earliest: Instant) -> Vec<u32> {
    let parents = processes(earliest);
    let mut found = vec![of];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(
            parents.iter().filter(|(_, its_parent)| *its_parent == parent).map(|(pid, _)| *pid),
        );
        next += 1;
    }
    found.split_off(1)
}

/// Process ids with their parents'.
type Parents = Arc<Vec<(u32, u32)>>;

/// One pass over `/proc`, or the last one if that began at `earliest` or later.
fn processes(earliest: Instant) -> Parents {
    static LAST: Mutex<Option<(Instant, Parents)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, parents)) = last.as_ref().filter(|(began, _)| *began >= earliest) {
        return parents.clone();
    }
    let began = Instant::now();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parents = Arc::new(pids.filter_map(|pid| Some((pid, living_parent(pid)?))).collect());
    *last = Some((began, Arc::clone(&parents)));
    parents
}

/// The parent of a process that is no zombie. Read for every process of the machine, so it stops
/// where it knows enough.
fn living_parent(pid: u32) -> Option<u32> {
    let mut beginning = [0; 128]; // the name has at most 64 bytes, and state and parent follow it
    let mut file = fs::File::open(format!("/proc/{pid}/stat")).ok()?;
    let length = file.read(&mut beginning).ok()?;
    let name_end = beginning[..length].iter().rposition(|byte| *byte == b')')?;
    let mut fields = std::str::from_utf8(&beginning[name_end + 1..length]).ok()?.split(' ').skip(1);
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    // A first thread that has ended leaves the process to the others.
    (!matches!(state, "Z" | "X") || thread_count(pid) > 1).then_some(parent)
}

/// The processor time that the calling thread has used (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID).
pub(crate) fn own_processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// Old enough to be shared, young enough for everything that is only counted.
fn just_now() -> Instant {
    Instant::now().checked_sub(Duration::from_millis(2)).unwrap_or_else(Instant::now)
}

/// Orphaned descendants of this process become its children (prctl(2), PR_SET_CHILD_SUBREAPER).
pub(crate) fn become_subreaper() -> std::io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// What was handed to the network through this socket has been acknowledged by the other side's
/// kernel, all of it or all that a closed window does not keep back (tcp(7), SIOCOUTQ and
/// SIOCOUTQNSD).
pub(crate) fn is_still(socket: impl AsFd, wires: Wires) -> bool {
    const SIOCOUTQNSD: rustix::ioctl::Opcode = 0x894b;

    // SAFETY: the request writes one int (linux/sockios.h).
    let unsent = unsafe {
        rustix::ioctl::ioctl(
            socket.as_fd(),
            rustix::ioctl::Getter::<SIOCOUTQNSD, libc::c_int>::new(),
        )
    };
    match (unacknowledged(&socket), unsent, wires) {
        (Ok(queued), _, Wires::Empty) => queued == 0,
        (Ok(queued), Ok(unsent), Wires::Stalled) => queued == unsent,
        _ => true, // a listening socket, or no TCP socket, has no such queue
    }
}

/// Bytes that were handed to the network through this socket and that the other side's kernel has
/// not acknowledged.
fn unacknowledged(socket: impl AsFd) -> rustix::io::Result<libc::c_int> {
    const SIOCOUTQ: rustix::ioctl::Opcode = libc::TIOCOUTQ as rustix::ioctl::Opcode;

    // SAFETY: the request writes one int (linux/sockios.h).
    unsafe {
        rustix::ioctl::ioctl(socket.as_fd(), rustix::ioctl::Getter::<SIOCOUTQ, libc::c_int>::new())
    }
}

// ---- sockets ----

/// Those that are still there.
fn opened(pids: &[u32]) -> Vec<Process> {
    pids.iter().copied().filter_map(Process::open).collect()
}

/// Shows every socket of these processes once, until one does not hold. `None` where the kernel
/// refuses to show one.
fn every_socket(processes: &[Process], mut holds: impl FnMut(&Socket) -> bool) -> Option<bool> {
    let mut seen = BTreeSet::new();
    for process in processes {
        for (fd, _) in process.sockets()?.into_iter().filter(|(_, inode)| seen.insert(*inode)) {
            match process.duplicate(fd) {
                Copied::Socket(socket) if !holds(&socket) => return Some(false),
                Copied::Socket(_) | Copied::Gone => {}
                Copied::Refused => return None,
            }
        }
    }
    Some(true)
}

fn listening_in(pid: u32) -> Option<Vec<SocketAddr>> {
    let Some(process) = Process::open(pid) else { return Some(Vec::new()) };
    let mut addresses = Vec::new();
    for (fd, inode) in process.sockets()? {
        match process.duplicate(fd) {
            Copied::Socket(socket) if listens(&socket) => addresses.extend(address_of(&socket)),
            Copied::Socket(_) | Copied::Gone => {}
            Copied::Refused => addresses.extend(listener_in_table(pid, inode)?),
        }
    }
    Some(addresses)
}

fn listens(socket: &Socket) -> bool {
    socket.is_listener().unwrap_or(false) && socket.r#type().is_ok_and(|kind| kind == Type::STREAM)
}

fn address_of(socket: &Socket) -> Option<SocketAddr> {
    socket.local_addr().ok()?.as_socket().map(canonical)
}

/// An IPv4 address, also where an IPv6 socket calls it `::ffff:127.0.0.1` (RFC 4291 §2.5.5.2).
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn peer_of(socket: &Socket) -> Option<SocketAddr> {
    socket.peer_addr().ok()?.as_socket().map(canonical)
}

/// The slower way to a listening socket's address, for systems that refuse `pidfd_getfd`: the
/// network namespace's table.
fn listener_in_table(pid: u32, inode: u64) -> Option<Option<SocketAddr>> {
    let mut tables = String::new();
    for table in ["tcp", "tcp6"] {
        tables
            .push_str(&fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default());
    }
    if tables.is_empty() {
        return None;
    }
    Some(tables.lines().find_map(|line| listener_in_line(line, inode)))
}

/// One line of `/proc/net/tcp` (proc_net(5)): `sl local_address rem_address st …  inode`, addresses
/// in host byte order.
fn listener_in_line(line: &str, inode: u64) -> Option<SocketAddr> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    if *fields.get(3)? != LISTEN || fields.get(9)?.parse() != Ok(inode) {
        return None;
    }
    address_in_table(fields[1])
}

fn address_in_table(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Option<Vec<u8>> = (0..ip.len() / 8)
        .map(|word| u32::from_str_radix(ip.get(word * 8..word * 8 + 8)?, 16).ok())
        .collect::<Option<Vec<u32>>>()
        .map(|words| words.into_iter().flat_map(u32::to_ne_bytes).collect());
    let bytes = words?;
    match (<[u8; 4]>::try_from(bytes.as_slice()), <[u8; 16]>::try_from(bytes.as_slice())) {
        (Ok(v4), _) => Some(SocketAddr::from((v4, port))),
        (_, Ok(v6)) => Some(canonical(SocketAddr::from((v6, port)))),
        _ => None,
    }
}

/// The peer's end of stream has arrived (poll(2), POLLRDHUP), and the socket is still there.
fn has_seen_the_end(socket: &Socket) -> bool {
    if listens(socket) {
        return false;
    }
    asked::has_come(socket, PollFlags::RDHUP)
}

/// SO_RCVTIMEO and SO_SNDTIMEO do not show in a system call's arguments.
fn has_no_timeout(socket: &Socket) -> bool {
    matches!((socket.read_timeout(), socket.write_timeout()), (Ok(None), Ok(None)))
}

/// The other end is neither the harness nor one of the program's own processes: a service of the
/// machine's, like that of a container, or another machine. What comes from there is not under way
/// in anything that can be seen here.
fn hears_from_outside(socket: &Socket) -> bool {
    let Ok(peer) = socket.peer_addr() else { return false };
    let is_service = peer.is_unix() && !peer.is_unnamed();
    let is_elsewhere = |address: SocketAddr| !canonical(address).ip().is_loopback();
    is_service || peer.as_socket().is_some_and(is_elsewhere)
}

// ---- threads ----

struct Account {
    ran: Duration,
    queued: Duration,
    times_run: u64,
}

/// `/proc/PID/task/TID/schedstat`: nanoseconds on a processor, nanoseconds in the run queue, times
/// run (sched-stats.rst).
fn schedstat(pid: u32, tid: u32) -> Option<Account> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/schedstat")).ok()?;
    let mut fields = text.split_ascii_whitespace().map(str::parse::<u64>);
    let mut next = || fields.next()?.ok();
    Some(Account {
        ran: Duration::from_nanos(next()?),
        queued: Duration::from_nanos(next()?),
        times_run: next()?,
    })
}

struct Stat {
    state: char,
    /// utime, stime, cutime, cstime, in clock ticks.
    times: [u64; 4],
}

impl Stat {
    fn sleeps(&self) -> bool {
        self.state == 'S'
    }

    fn ticks_with_children(&self) -> u64 {
        self.times.iter().sum()
    }

    fn ticks_of_children(&self) -> u64 {
        self.times[2] + self.times[3]
    }
}

/// `/proc/PID/stat`; the name in parentheses may hold anything, so the fields are counted from its
/// last parenthesis.
fn stat(pid: u32) -> Option<Stat> {
    stat_of(&pid.to_string())
}

fn stat_of(task: &str) -> Option<Stat> {
    let text = String::from_utf8_lossy(&fs::read(format!("/proc/{task}/stat")).ok()?).into_owned();
    let fields: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
    let time = |at: usize| fields.get(at).and_then(|field| field.parse().ok());
    Some(Stat {
        state: fields.first()?.chars().next()?,
        times: [time(11)?, time(12)?, time(13)?, time(14)?],
    })
}

fn threads(pid: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

pub(crate) fn is_running(launcher: u32) -> bool {
    let runs = |pid: u32, tid: u32| {
        stat_of(&format!("{pid}/task/{tid}")).is_some_and(|stat| stat.state == 'R')
    };
    descendants_since(launcher, just_now())
        .into_iter()
        .any(|pid| threads(pid).into_iter().any(|tid| runs(pid, tid)))
}

/// A folder has a link from itself, one from its parent and one from each folder in it.
pub(crate) fn thread_count(pid: u32) -> u32 {
    let links = fs::metadata(format!("/proc/{pid}/task"))
        .map_or(0, |folder| std::os::unix::fs::MetadataExt::nlink(&folder));
    links.saturating_sub(2) as u32
}

/// A system call in which a thread is blocked, with its arguments.
struct Call {
    number: i64,
    arguments: [u64; 6],
}

/// `/proc/PID/task/TID/syscall`; `None` where the thread runs, is about to run, or is blocked
/// outside of a system call.
fn waiting_call(pid: u32, tid: u32) -> Option<Call> {
    call_in(&fs::read_to_string(format!("/proc/{pid}/task/{tid}/syscall")).ok()?)
}

fn call_in(text: &str) -> Option<Call> {
    let mut fields = text.split_ascii_whitespace();
    let number = fields.next()?.parse().ok()?;
    let mut arguments = [0; 6];
    for argument in &mut arguments {
        *argument = u64::from_str_radix(fields.next()?.strip_prefix("0x")?, 16).ok()?;
    }
    Some(Call { number, arguments })
}

/// Only something from outside of the program can end this call. What is not known to be so is
/// taken to end by itself.
fn waits_without_limit(process: &Process, call: &Call) -> bool {
    /// To read from a file ends by itself, also where its file system is another process's and lets
    /// it wait.
    const SILENT: [&str; 4] = ["socket:", "pipe:", "anon_inode:", "/dev/"];
    let no_pointer = |at: usize| call.arguments[at] == 0;
    let forever = |at: usize| (call.arguments[at] as i32) < 0;
    match call.number {
        libc::SYS_accept | libc::SYS_accept4 | libc::SYS_recvfrom | libc::SYS_recvmsg => true,
        libc::SYS_sendto | libc::SYS_sendmsg | libc::SYS_wait4 | libc::SYS_waitid => true,
        libc::SYS_read | libc::SYS_readv => process.is_one_of(call.arguments[0], &SILENT),
        // The harness reads what the program prints: a full pipe will move.
        libc::SYS_write | libc::SYS_writev => process.is_one_of(call.arguments[0], &["socket:"]),
        libc::SYS_epoll_pwait => forever(3),
        libc::SYS_epoll_pwait2 | libc::SYS_futex => no_pointer(3),
        libc::SYS_ppoll => no_pointer(2),
        libc::SYS_pselect6 => no_pointer(4),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => forever(2),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => no_pointer(4),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => forever(3),
        _ => false,
    }
}

/// Something that wakes a program and that no system call's arguments show: a descriptor of a
/// timer, of signals or of a ring, a POSIX timer, or a handler for an alarm.
fn has_timers(process: &Process) -> bool {
    const WAKERS: [&str; 3] = ["[timerfd]", "[signalfd]", "[io_uring]"];
    const ALARMS: u64 =
        1 << (libc::SIGALRM - 1) | 1 << (libc::SIGVTALRM - 1) | 1 << (libc::SIGPROF - 1);

    // Where the kernel does not list them (CONFIG_CHECKPOINT_RESTORE), there may be some.
    let posix = !fs::read_to_string(format!("/proc/{}/timers", process.pid))
        .is_ok_and(|timers| timers.is_empty());
    let wakes = |target: &str| WAKERS.iter().any(|kind| target.contains(kind));
    let descriptor = process.descriptors().iter().any(|(_, target)| wakes(target));
    posix || descriptor || caught_signals(process.pid).is_none_or(|caught| caught & ALARMS != 0)
}

fn caught_signals(pid: u32) -> Option<u64> {
    let status =
        String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/status")).ok()?).into_owned();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
#[path = "linux/small_programs.rs"]
mod small_programs;

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::process::{Command, Stdio};

    use super::*;

    /// Waits, for a bounded time, until something is seen.
    #[track_caller]
    pub(super) fn soon(what: &str, seen: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !seen() {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::yield_now();
        }
    }

    fn picture_of(child: u32) -> Option<Standstill> {
        let parents = |pid: u32| living_parent(pid) == Some(std::process::id());
        assert!(parents(child), "the child has gone");
        let call = waiting_call(child, child)?;
        let sleeps = stat_of(&format!("{child}/task/{child}"))?.sleeps();
        let child = Process::open(child)?;
        (sleeps && waits_without_limit(&child, &call) && !has_timers(&child))
            .then_some(Standstill(Vec::new()))
    }

    #[track_caller]
    fn run_and_look(command: &mut Command, look: impl Fn(u32)) {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        look(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_program_that_reads_for_ever_stands_still() {
        run_and_look(&mut Command::new("cat"), |pid| {
            soon("cat should wait for its input", || picture_of(pid).is_some())
        });
    }

    /// By its path nobody can tell what is behind it: it may be a file of another process's file
    /// system.
    #[test]
    fn a_program_that_reads_from_a_path_is_not_stuck() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let _writer = fs::File::options().read(true).write(true).open(&path).unwrap();
        run_and_look(Command::new("cat").arg(&path), |pid| {
            let reads = || waiting_call(pid, pid).is_some_and(|call| call.number == libc::SYS_read);
            soon("cat should read", || reads() && stat(pid).is_some_and(|stat| stat.sleeps()));
            for _ in 0..50 {
                assert!(picture_of(pid).is_none());
            }
        });
    }

    #[test]
    fn a_program_that_sleeps_is_not_stuck() {
        run_and_look(Command::new("sleep").arg("60"), |pid| {
            soon("sleep should be asleep", || {
                stat(pid).is_some_and(|stat| stat.sleeps()) && waiting_call(pid, pid).is_some()
            });
            for _ in 0..50 {
                assert!(picture_of(pid).is_none());
            }
        });
    }

    #[test]
    fn a_program_that_works_is_not_stuck() {
        run_and_look(Command::new("sh").args(["-c", "while :; do :; done"]), |pid| {
            for _ in 0..50 {
                assert!(picture_of(pid).is_none());
            }
        });
    }

    #[test]
    fn both_looks_see_the_same_processes() {
        let children_of_a_thread = "import subprocess, threading
threading.Thread(target=lambda: subprocess.run('cat | cat; :', shell=True)).start()";
        if Command::new("python3").arg("--version").output().is_err() {
            println!("skipped: no python3 here");
            return;
        }
        run_and_look(Command::new("python3").args(["-c", children_of_a_thread]), |pid| {
            let cats = |pids: &BTreeSet<u32>| {
                let names = pids
                    .iter()
                    .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).ok());
                names.filter(|name| name == "cat\n").count()
            };
            soon("both should see the cats of a thread's shell, and nobody else", || {
                let listed: BTreeSet<u32> = listed_below(pid).into_iter().collect();
                let found: BTreeSet<u32> = found_below(pid, Instant::now()).into_iter().collect();
                cats(&listed) == 2 && listed == found
            });
        });
    }

    #[test]
    fn processes_and_threads_are_counted() {
        run_and_look(Command::new("sh").args(["-c", "cat | cat"]), |pid| {
            soon("two should be there", || tasks(pid) == Some(Tasks { processes: 2, threads: 2 }));
        });
    }

    #[test]
    fn what_a_selector_is_asked_for_shows() {
        let asks = "import select, socket, sys
a, b = socket.socketpair()
e = select.epoll()
e.register(a, select.EPOLLIN | select.EPOLLOUT)
e.register(b, select.EPOLLIN)
sys.stdin.read()";
        if Command::new("python3").arg("--version").output().is_err() {
            println!("skipped: no python3 here");
            return;
        }
        run_and_look(Command::new("sh").args(["-c", "python3 -c \"$0\"; :", asks]), |pid| {
            soon("one of two should show", || waits_to_write(pid) == Some(1));
        });
        run_and_look(Command::new("sh").args(["-c", "cat; :"]), |pid| {
            soon("cat should be there", || !descendants(pid).is_empty());
            assert_eq!(waits_to_write(pid), None);
        });
    }

    #[test]
    fn memory_that_is_used_shows() {
        let hold = "import sys; held = bytearray(b'x') * 50_000_000; sys.stdin.read()";
        if Command::new("python3").arg("--version").output().is_err() {
            println!("skipped: no python3 here");
            return;
        }
        run_and_look(Command::new("python3").args(["-c", hold]), |pid| {
            soon("50 MB should show", || {
                proportional_memory(pid).is_some_and(|bytes| bytes > 50_000_000)
            });
            soon("no more than that", || {
                proportional_memory(pid).is_some_and(|bytes| bytes < 80_000_000)
            });
        });
    }

    #[test]
    fn a_socket_with_a_timeout_can_wake_its_owner() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = Socket::from(OwnedFd::from(stream));
        assert!(has_no_timeout(&socket));
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert!(!has_no_timeout(&socket));
    }

    #[test]
    fn a_service_of_the_machine_may_be_heard_from_and_a_pair_of_sockets_not() {
        let folder = tempfile::tempdir().unwrap();
        let service =
            std::os::unix::net::UnixListener::bind(folder.path().join("service")).unwrap();
        let user = std::os::unix::net::UnixStream::connect(folder.path().join("service")).unwrap();
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(hears_from_outside(&Socket::from(OwnedFd::from(user))));
        for socket in [OwnedFd::from(service), one.into(), listener.into(), client.into()] {
            assert!(!hears_from_outside(&Socket::from(socket)));
        }
    }

    #[test]
    fn an_end_of_stream_is_seen_without_reading() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = Socket::from(OwnedFd::from(listener.accept().unwrap().0));
        assert!(!has_seen_the_end(&server) && !listens(&server));
        drop(client);
        soon("the end should have come", || has_seen_the_end(&server));
    }

    #[test]
    fn the_kernels_table_names_listeners() {
        let v4 = "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0";
        let v6 = v4.replace("0100007F", "00000000000000000000000001000000").replace("12345", "99");
        assert_eq!(listener_in_line(v4, 12345), Some("127.0.0.1:8080".parse().unwrap()));
        assert_eq!(listener_in_line(&v6, 99), Some("[::1]:8080".parse().unwrap()));
        assert_eq!(listener_in_line(v4, 1), None);
        assert_eq!(listener_in_line(&v4.replace(" 0A ", " 01 "), 12345), None);
    }
}
