//! What each thread of a program does, from `/proc/PID/task/TID` and from the program's sockets.
//!
//! Threads and processes may end meanwhile. A read that fails leaves out its fact.

use std::collections::BTreeSet;
use std::fs;

use super::awaited::{self, Asked};
use super::call::{RawCall, call_in, waits_without_limit};
use super::connections::{Budget, HeldSocket, HeldSockets};
use super::descendants::descendants;
use super::process::{Process, opened, socket_inode};
use super::task::{thread_stat, threads};
use super::usage::processor_time_of;
use crate::observe::facts::{Call, HarnessSocket, On, ProgramState, Thread};

pub(crate) fn program_state(launcher: u32, ours: &[HarnessSocket]) -> Option<ProgramState> {
    let budget = Budget::start();
    let pids = descendants(launcher);
    let processes = opened(&pids);
    let held = HeldSockets::by(&processes, &budget, ours);
    let processor_time = processor_time_of(launcher, &pids).unwrap_or_default();
    let mut look =
        Look { ours, budget, threads: Vec::new(), further: 0, loops: EventLoops::default() };
    processes.iter().for_each(|process| look.at(process));
    let Look { threads, further, loops, .. } = look;
    let is_hidden = threads.is_empty() && further > 0;
    (!is_hidden).then(|| ProgramState {
        program: String::new(),
        processes: processes.len(),
        threads,
        further,
        processor_time,
        waiting: held.waiting(ours),
        connections: held.connections(|inode| loops.watch(inode)),
    })
}

/// Looks at the threads of a program one by one.
struct Look<'a> {
    ours: &'a [HarnessSocket],
    budget: Budget,
    threads: Vec<Thread>,
    /// The number of threads that were not looked at.
    further: usize,
    loops: EventLoops,
}

impl Look<'_> {
    fn at(&mut self, process: &Process) {
        for tid in telling_first(threads(process.pid)) {
            if self.budget.is_spent(self.threads.len()) {
                self.further += 1;
                continue;
            }
            let stat = thread_stat(process.pid, tid).filter(|stat| !stat.has_ended());
            match stat.map(|stat| self.thread(process, tid, stat.state)) {
                Some(Some(thread)) => self.threads.push(thread),
                Some(None) => self.further += 1,
                None => {}
            }
        }
    }

    /// Returns `None` where the kernel does not show what the thread does.
    fn thread(&mut self, process: &Process, tid: u32, state: char) -> Option<Thread> {
        let text = fs::read_to_string(format!("/proc/{}/task/{tid}/syscall", process.pid)).ok()?;
        Some(match (state, call_in(&text)) {
            ('T' | 't', _) => Thread::Stopped,
            ('R', _) | (_, None) => Thread::Running,
            (_, Some(call)) => {
                let (on, limited) = self.on(process, &call);
                Thread::Waits(Call { name: call.name(), on, limited })
            }
        })
    }

    /// Returns what a system call waits for, and whether it ends by itself.
    fn on(&mut self, process: &Process, call: &RawCall) -> (On, bool) {
        match call.number {
            libc::SYS_futex => (On::OtherThread, !waits_without_limit(process, call)),
            libc::SYS_nanosleep | libc::SYS_clock_nanosleep => (On::Time, false),
            libc::SYS_wait4 | libc::SYS_waitid => (On::Child, false),
            _ if call.takes_a_descriptor() => {
                let (on, limited) = self.on_descriptor(process, call.arguments[0] as i32);
                // The thread serves that connection, so no event loop need watch it.
                self.loops.unknown |= matches!(on, On::Connection(_));
                (on, limited)
            }
            _ if call.is_event_loop() => self.on_event_loop(process, call),
            _ => (On::Itself, false),
        }
    }

    fn on_event_loop(&mut self, process: &Process, call: &RawCall) -> (On, bool) {
        let by_itself = !waits_without_limit(process, call);
        let Some(asked) = awaited::by_event_loop(&process.folder(), call) else {
            self.loops.unknown = true;
            return (On::Descriptors(None), by_itself);
        };
        let on = match asked.as_slice() {
            [] if by_itself => return (On::Time, false),
            [only] => self.on_descriptor(process, only.fd).0,
            several => On::Descriptors(Some(several.len())),
        };
        self.loops.add(process, &asked);
        (on, by_itself)
    }

    /// Returns what a descriptor is, and whether waiting for it ends by itself.
    fn on_descriptor(&self, process: &Process, fd: i32) -> (On, bool) {
        let Some(target) = process.target(fd) else { return (On::Itself, false) };
        match socket_inode(&target).map(|inode| HeldSocket::find(process, fd, inode)) {
            Some(Some(socket)) => (socket.on(self.ours), socket.limited),
            Some(None) => (On::Socket, false),
            None => (on_file(fd, &target), false),
        }
    }
}

fn on_file(fd: i32, target: &str) -> On {
    match (fd, target.strip_prefix("anon_inode:")) {
        (0, _) => On::StandardInput,
        (1, _) => On::StandardOutput,
        (2, _) => On::StandardError,
        (_, Some(kind)) => On::Anonymous(kind.trim_matches(['[', ']']).to_owned()),
        (_, None) if target.starts_with("pipe:") => On::Pipe,
        (_, None) => On::File(target.to_owned()),
    }
}

/// Puts first the threads that tell most: the first one, which most often accepts, and then the
/// youngest ones, among them that of the last client.
fn telling_first(mut threads: Vec<u32>) -> Vec<u32> {
    threads.sort_unstable();
    if let [_, others @ ..] = threads.as_mut_slice() {
        others.reverse();
    }
    threads
}

/// What the event loops of a program wait for.
#[derive(Default)]
struct EventLoops {
    /// The inodes of sockets that are watched for something to read.
    sockets: BTreeSet<u64>,
    /// Whether there is an event loop.
    any: bool,
    /// Whether one may watch more: its list cannot be read, or has another poller in it.
    unknown: bool,
}

impl EventLoops {
    fn add(&mut self, process: &Process, list: &[Asked]) {
        self.any = true;
        for asked in list {
            let target = process.target(asked.fd).unwrap_or_default();
            self.sockets.extend(socket_inode(&target).filter(|_| asked.to_read));
            self.unknown |= target.contains("[eventpoll]") || target.contains("[io_uring]");
        }
    }

    /// Returns whether a socket is watched, or `None` where that cannot be told.
    fn watch(&self, inode: u64) -> Option<bool> {
        (self.any && !self.unknown).then(|| self.sockets.contains(&inode))
    }
}
