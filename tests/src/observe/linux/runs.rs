//! Which threads of a program are at work, and which of them wait for a TCP socket.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use super::call::{RawCall, call_in};
use super::descendants::descendants;
use super::interest;
use super::process::{Copied, Process, opened, socket_inode};
use super::table;
use super::task::{schedstat, stat, thread_stat, threads};
use crate::observe::facts::{Runs, TaskCounts};

pub(crate) fn runs(launcher: u32) -> Option<Runs> {
    let mut runs =
        Runs { faults_of_children: stat(launcher)?.faults_of_children, ..Runs::default() };
    let pids = descendants(launcher);
    for &pid in &pids {
        let mut alive = Duration::ZERO;
        for tid in threads(pid) {
            let Some(counted) = schedstat(pid, tid) else { continue };
            alive += counted.cpu_time.ran;
            runs.threads.insert((pid, tid), counted.times_run);
        }
        runs.ended += process_cpu_time(pid).unwrap_or(alive).saturating_sub(alive);
        runs.faults_of_children += stat(pid).map_or(0, |stat| stat.faults_of_children);
    }
    (!runs.threads.is_empty()).then_some(runs)
}

/// Returns the processor time of all threads of a process, also of those that have ended
/// (clock_getcpuclockid(3)).
fn process_cpu_time(pid: u32) -> Option<Duration> {
    let mut clock = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the function writes one clockid_t.
    if unsafe { libc::clock_getcpuclockid(pid as libc::pid_t, &raw mut clock) } != 0 {
        return None;
    }
    // SAFETY: the function writes one timespec.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return None;
    }
    Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
}

pub(crate) fn waiting_for_sockets(launcher: u32) -> Option<TaskCounts> {
    let mut found = TaskCounts { processes: 0, threads: 0 };
    for process in opened(&descendants(launcher)) {
        let mut kinds = Kinds { process: &process, tcp: BTreeMap::new() };
        let mut waiting = 0;
        for tid in threads(process.pid) {
            waiting += usize::from(waits_for_a_socket(&mut kinds, tid)?);
        }
        found.processes += usize::from(waiting > 0);
        found.threads += waiting;
    }
    Some(found)
}

/// Returns whether a thread is in a call on a TCP socket, or in an event loop that watches one.
/// Returns `None` where the kernel does not show what the thread does.
fn waits_for_a_socket(kinds: &mut Kinds<'_>, tid: u32) -> Option<bool> {
    let pid = kinds.process.pid;
    if thread_stat(pid, tid).is_none_or(|stat| stat.has_ended()) {
        return Some(false);
    }
    let text = match fs::read_to_string(format!("/proc/{pid}/task/{tid}/syscall")) {
        Ok(text) => text,
        // The thread may just have ended.
        Err(_) => return thread_stat(pid, tid).is_none().then_some(false),
    };
    Some(call_in(&text).is_some_and(|call| kinds.has_one_of(&call)))
}

/// What the descriptors of a process are.
struct Kinds<'a> {
    process: &'a Process,
    /// Whether each descriptor that was looked at is a TCP socket.
    tcp: BTreeMap<i32, bool>,
}

impl Kinds<'_> {
    fn has_one_of(&mut self, call: &RawCall) -> bool {
        if call.takes_a_descriptor() {
            return self.is_tcp(call.arguments[0] as i32);
        }
        let watched = interest::by_event_loop(&self.process.folder(), call).unwrap_or_default();
        watched.iter().any(|asked| self.is_tcp(asked.fd))
    }

    fn is_tcp(&mut self, fd: i32) -> bool {
        if let Some(known) = self.tcp.get(&fd) {
            return *known;
        }
        let target = self.process.target(fd).unwrap_or_default();
        let is_tcp = socket_inode(&target).is_some_and(|inode| self.is_tcp_socket(fd, inode));
        self.tcp.insert(fd, is_tcp);
        is_tcp
    }

    fn is_tcp_socket(&self, fd: i32, inode: u64) -> bool {
        match self.process.duplicate(fd) {
            Copied::Socket(copy) => {
                let domain = copy.domain().ok();
                let is_internet =
                    domain == Some(socket2::Domain::IPV4) || domain == Some(socket2::Domain::IPV6);
                is_internet && copy.r#type().is_ok_and(|kind| kind == socket2::Type::STREAM)
            }
            Copied::Gone => false,
            Copied::Refused => table::find(self.process, "tcp", inode).flatten().is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::observe::linux::testing::{has_python, run_and_look, soon};

    /// Runs a Python program below a shell, as a launcher has the program below itself. One more
    /// thread of it ends it with its standard input.
    #[track_caller]
    fn while_it_runs(program: &str, look: impl Fn(u32)) {
        if !has_python() {
            return;
        }
        let until_the_end = "import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()";
        let program = format!("{until_the_end}\n{program}");
        let shell = ["-c", "python3 -c \"$0\"; :", &program];
        run_and_look(Command::new("sh").args(shell), look);
    }

    #[track_caller]
    fn check(program: &str, threads: usize, of_them_with_a_socket: usize) {
        while_it_runs(program, |pid| {
            soon("as many threads should wait", || {
                let counted = runs(pid).map_or(0, |runs| runs.threads.len());
                let waiting = waiting_for_sockets(pid).map(|tasks| tasks.threads);
                counted == threads && waiting == Some(of_them_with_a_socket)
            });
        });
    }

    #[test]
    fn a_thread_that_touches_no_socket_does_not_count() {
        let helpers = "import socket, threading, time
for work in (threading.Event().wait, lambda: time.sleep(60)):
    threading.Thread(target=work, daemon=True).start()
s = socket.create_server(('127.0.0.1', 0))
s.accept()";
        check(helpers, 4, 1);
    }

    #[test]
    fn a_selector_with_a_tcp_socket_counts_and_one_with_a_pair_does_not() {
        let selectors = "import select, socket, threading
s, pair = socket.create_server(('127.0.0.1', 0)), socket.socketpair()
def wait_for(it):
    e = select.epoll()
    e.register(it, select.EPOLLIN)
    e.poll()
threading.Thread(target=wait_for, args=(pair[0],)).start()
threading.Thread(target=lambda: select.select([s], [], [])).start()
wait_for(s)";
        check(selectors, 4, 2);
    }

    #[test]
    fn time_of_ended_threads_and_faults_of_ended_children_show() {
        let ends = "import sys, threading, os
def work():
    sum(range(300_000))
t = threading.Thread(target=work); t.start(); t.join()
if os.fork() == 0: os._exit(0)
os.wait()
threading.Event().wait()";
        while_it_runs(ends, |pid| {
            soon("both should show", || {
                let ended = |runs: Runs| {
                    runs.ended > Duration::from_micros(500) && runs.faults_of_children > 0
                };
                runs(pid).is_some_and(ended) && waiting_for_sockets(pid).is_some()
            });
        });
    }
}
