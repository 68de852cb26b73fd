//! What each thread of a program does, from `/proc/PID/task/TID` and from the program's sockets.
//!
//! Threads and processes may end meanwhile. A read that fails leaves out its fact.

use std::collections::BTreeSet;
use std::fs;

use super::call::{RawCall, call_in, waits_without_limit};
use super::connections::{Budget, HeldSocket, HeldSockets};
use super::descendants::descendants;
use super::interest::{self, Interest};
use super::process::{Process, opened, socket_inode};
use super::task::{thread_stat, threads};
use super::usage::cpu_time_of;
use crate::observe::facts::{HarnessSocket, ProgramState, SystemCall, ThreadState, WaitsFor};

pub(crate) fn program_state(launcher: u32, harness: &[HarnessSocket]) -> Option<ProgramState> {
    let budget = Budget::start();
    let pids = descendants(launcher);
    let processes = opened(&pids);
    let held = HeldSockets::by(&processes, &budget, harness);
    let cpu_time = cpu_time_of(launcher, &pids).unwrap_or_default();
    let mut look =
        Look { harness, budget, threads: Vec::new(), further: 0, loops: EventLoops::default() };
    processes.iter().for_each(|process| look.at(process));
    let Look { threads, further, loops, .. } = look;
    let is_hidden = threads.is_empty() && further > 0;
    (!is_hidden).then(|| ProgramState {
        program: String::new(),
        processes: processes.len(),
        threads,
        further,
        cpu_time,
        pending: held.pending(harness),
        connections: held.connections(|inode| loops.watch(inode)),
    })
}

/// Looks at the threads of a program one by one.
struct Look<'a> {
    harness: &'a [HarnessSocket],
    budget: Budget,
    threads: Vec<ThreadState>,
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
    fn thread(&mut self, process: &Process, tid: u32, state: char) -> Option<ThreadState> {
        let text = fs::read_to_string(format!("/proc/{}/task/{tid}/syscall", process.pid)).ok()?;
        Some(match (state, call_in(&text)) {
            ('T' | 't', _) => ThreadState::Stopped,
            ('R', _) | (_, None) => ThreadState::Running,
            (_, Some(call)) => {
                let (waits_for, has_timeout) = self.on(process, &call);
                ThreadState::Waits(SystemCall { name: call.name(), waits_for, has_timeout })
            }
        })
    }

    /// Returns what a system call waits for, and whether it ends by itself.
    fn on(&mut self, process: &Process, call: &RawCall) -> (WaitsFor, bool) {
        match call.number {
            libc::SYS_futex => (WaitsFor::OtherThread, !waits_without_limit(process, call)),
            libc::SYS_nanosleep | libc::SYS_clock_nanosleep => (WaitsFor::Time, false),
            libc::SYS_wait4 | libc::SYS_waitid => (WaitsFor::Child, false),
            _ if call.takes_a_descriptor() => {
                let (waits_for, has_timeout) =
                    self.on_descriptor(process, call.arguments[0] as i32);
                // The thread serves that connection, so no event loop need watch it.
                self.loops.unknown |= matches!(waits_for, WaitsFor::Connection(_));
                (waits_for, has_timeout)
            }
            _ if call.is_event_loop() => self.on_event_loop(process, call),
            _ => (WaitsFor::Itself, false),
        }
    }

    fn on_event_loop(&mut self, process: &Process, call: &RawCall) -> (WaitsFor, bool) {
        let by_itself = !waits_without_limit(process, call);
        let Some(asked) = interest::by_event_loop(&process.folder(), call) else {
            self.loops.unknown = true;
            return (WaitsFor::Descriptors(None), by_itself);
        };
        let on = match asked.as_slice() {
            [] if by_itself => return (WaitsFor::Time, false),
            [only] => self.on_descriptor(process, only.fd).0,
            several => WaitsFor::Descriptors(Some(several.len())),
        };
        self.loops.add(process, &asked);
        (on, by_itself)
    }

    /// Returns what a descriptor is, and whether waiting for it ends by itself.
    fn on_descriptor(&self, process: &Process, fd: i32) -> (WaitsFor, bool) {
        let Some(target) = process.target(fd) else { return (WaitsFor::Itself, false) };
        match socket_inode(&target).map(|inode| HeldSocket::find(process, fd, inode)) {
            Some(Some(socket)) => (socket.on(self.harness), socket.has_timeout),
            Some(None) => (WaitsFor::Socket, false),
            None => (on_file(fd, &target), false),
        }
    }
}

fn on_file(fd: i32, target: &str) -> WaitsFor {
    match (fd, target.strip_prefix("anon_inode:")) {
        (0, _) => WaitsFor::StandardInput,
        (1, _) => WaitsFor::StandardOutput,
        (2, _) => WaitsFor::StandardError,
        (_, Some(kind)) => WaitsFor::Anonymous(kind.trim_matches(['[', ']']).to_owned()),
        (_, None) if target.starts_with("pipe:") => WaitsFor::Pipe,
        (_, None) => WaitsFor::File(target.to_owned()),
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
    fn add(&mut self, process: &Process, list: &[Interest]) {
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
