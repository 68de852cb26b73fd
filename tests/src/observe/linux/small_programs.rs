//! Tests with small programs in C. A program that a timer, a signal or a timeout may wake must
//! never be called stuck, also where no argument of its system call shows that.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::process::{Pid, pidfd_open};

use super::blocked::program_state;
use super::descendants::descendants;
use super::process::OF_A_THREAD;
use super::standstill::standstill;
use super::task::{thread_stat, threads};
use super::testing::soon;
use crate::observe::facts::{SendQueues, Standstill, SystemCall, ThreadState, WaitsFor};

/// One program for each mode. Each prints "ready" when it is about to wait.
const SOURCE: &str = include_str!("small_programs.c");

/// A program below a shell, which stands for the launcher. Dropping this ends both.
struct Running {
    shell: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        for pid in descendants(self.shell.id()) {
            _ = rustix::process::kill_process(
                Pid::from_raw(pid as i32).unwrap(),
                rustix::process::Signal::KILL,
            );
        }
        _ = self.shell.kill();
        _ = self.shell.wait();
    }
}

/// Starts the program of this mode and returns when all of its living threads are asleep. Returns
/// `None` where there is no compiler.
#[track_caller]
fn start(mode: &str) -> Option<Running> {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path())?;
    let mut shell = Command::new("sh")
        .args(["-c", "\"$0\" \"$1\"; :"])
        .arg(program)
        .arg(mode)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null()) // the shell prints which program was killed
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(shell.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let running = Running { shell, _folder: folder };
    assert_eq!(line, "ready\n");
    soon("it should be asleep", || are_asleep(&descendants(running.shell.id())));
    Some(running)
}

fn compile(folder: &Path) -> Option<PathBuf> {
    let (source, program) = (folder.join("small.c"), folder.join("small"));
    fs::write(&source, SOURCE).unwrap();
    match Command::new("cc").args(["-w", "-pthread", "-o"]).arg(&program).arg(&source).status() {
        Ok(status) => assert!(status.success()),
        Err(_) => {
            println!("skipped: cc is not installed");
            return None;
        }
    }
    Some(program)
}

fn are_asleep(processes: &[u32]) -> bool {
    let states = |pid: u32| {
        threads(pid).into_iter().filter_map(move |tid| Some(thread_stat(pid, tid)?.state))
    };
    let states: Vec<char> = processes.iter().copied().flat_map(states).collect();
    states.contains(&'S') && states.iter().all(|state| matches!(state, 'S' | 'Z'))
}

fn picture(running: &Running) -> Option<Standstill> {
    standstill(running.shell.id(), Instant::now(), SendQueues::Empty, &BTreeSet::new())
}

#[track_caller]
fn is_never_stuck(mode: &str) {
    let Some(running) = start(mode) else { return };
    for _ in 0..50 {
        assert!(picture(&running).is_none(), "{mode}");
    }
}

#[track_caller]
fn is_stuck(mode: &str) {
    let Some(running) = start(mode) else { return };
    soon("two equal pictures", || {
        picture(&running).is_some_and(|first| picture(&running) == Some(first))
    });
}

/// Checks that its only living thread is in this system call.
#[track_caller]
fn is_in(mode: &str, name: &str, waits_for: WaitsFor, has_timeout: bool) {
    let Some(running) = start(mode) else { return };
    let found = program_state(running.shell.id(), &[]).unwrap();
    let call = SystemCall { name: name.to_owned(), waits_for, has_timeout };
    assert_eq!((found.threads, found.further), (vec![ThreadState::Waits(call)], 0));
}

#[test]
fn a_wait_with_a_timeout_ends() {
    for mode in [
        "receive_timeout",
        "poll_timeout",
        "select_timeout",
        "epoll_timeout",
        "condition_timeout",
        "sleep_between",
    ] {
        is_never_stuck(mode);
    }
}

#[test]
fn a_timer_that_no_call_shows_may_wake() {
    for mode in ["timerfd", "timerfd_in_epoll", "alarm", "posix_timer"] {
        is_never_stuck(mode);
    }
}

#[test]
fn a_signal_that_is_waited_for_may_come() {
    is_never_stuck("sigwait");
    is_never_stuck("signalfd");
}

#[test]
fn a_program_whose_first_thread_has_ended_is_seen_through_another() {
    is_never_stuck("zombie_leader_times_out");
    if pidfd_open(rustix::process::getpid(), OF_A_THREAD).is_err() {
        println!("skipped: this kernel has no handles of threads, so that the sockets do not show");
        return;
    }
    is_stuck("zombie_leader_receives");
}

#[test]
fn an_event_loop_that_nothing_can_wake_is_stuck() {
    for mode in ["epoll_forever", "poll_forever", "select_forever"] {
        is_stuck(mode);
    }
}

#[test]
fn what_small_programs_wait_for_is_said() {
    is_in("epoll_forever", "epoll_wait", WaitsFor::Descriptors(Some(2)), false);
    is_in("epoll_timeout", "epoll_wait", WaitsFor::Descriptors(Some(2)), true);
    is_in("sleep_between", "clock_nanosleep", WaitsFor::Time, false);
    is_in("condition_timeout", "futex", WaitsFor::OtherThread, true);
    is_in("zombie_leader_accepts", "accept", WaitsFor::Listener, false);
    is_in("receive_timeout", "recvfrom", WaitsFor::UnconnectedSocket, true);
    is_in("timerfd", "read", WaitsFor::Anonymous("timerfd".to_owned()), false);
}

/// The name of the call differs from system to system: poll or ppoll, select or pselect6.
#[test]
fn the_lists_of_poll_and_select_are_read() {
    for (mode, on) in [
        ("poll_forever", WaitsFor::Descriptors(Some(2))),
        ("select_forever", WaitsFor::UnconnectedSocket),
    ] {
        let Some(running) = start(mode) else { return };
        let threads = program_state(running.shell.id(), &[]).unwrap().threads;
        let [ThreadState::Waits(call)] = threads.as_slice() else { panic!("{threads:?}") };
        assert_eq!((&call.waits_for, call.has_timeout), (&on, false), "{mode}");
    }
}

#[test]
fn a_program_that_is_gone_is_nowhere() {
    let mut shell = Command::new("true").spawn().unwrap();
    shell.wait().unwrap();
    assert!(program_state(shell.id(), &[]).is_some_and(|found| found.threads.is_empty()));
}

/// Room to write may wake an edge-triggered thread: the kernel may be about to report it. Bytes to
/// read do not: the kernel reported them before it acknowledged them.
#[test]
fn what_is_there_already_may_wake() {
    is_never_stuck("forgets_to_write");
    is_stuck("forgets_to_read");
}
