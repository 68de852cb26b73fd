//! The system calls in which threads are blocked, and whether they can end by themselves.

use std::fs;

use super::process::Process;

/// The number and the arguments of a system call in which a thread is blocked.
pub(super) struct RawCall {
    pub(super) number: i64,
    pub(super) arguments: [u64; 6],
}

impl RawCall {
    /// Returns its name as in syscalls(2).
    pub(super) fn name(&self) -> String {
        syscall_numbers::native::sys_call_name(self.number as libc::c_long)
            .map_or_else(|| format!("system call {}", self.number), str::to_owned)
    }

    /// Returns whether its first argument is the descriptor on which it waits.
    pub(super) fn takes_a_descriptor(&self) -> bool {
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
        .contains(&self.number)
    }

    /// Returns whether it waits on several descriptors.
    pub(super) fn is_event_loop(&self) -> bool {
        #[cfg(target_arch = "x86_64")]
        if [libc::SYS_poll, libc::SYS_select, libc::SYS_epoll_wait].contains(&self.number) {
            return true;
        }
        [libc::SYS_ppoll, libc::SYS_pselect6, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2]
            .contains(&self.number)
    }
}

/// Returns the system call of a thread, or `None` where the thread runs, is about to run, or is
/// blocked outside of a system call (proc_pid_syscall(5)).
pub(super) fn waiting_call(pid: u32, tid: u32) -> Option<RawCall> {
    call_in(&fs::read_to_string(format!("/proc/{pid}/task/{tid}/syscall")).ok()?)
}

/// Reads `0 0x3 0x7ffd 0x400 0x0 0x0 0x0 …`: the number, then the six arguments.
pub(super) fn call_in(text: &str) -> Option<RawCall> {
    let mut fields = text.split_ascii_whitespace();
    let number = fields.next()?.parse().ok()?;
    let mut arguments = [0; 6];
    for argument in &mut arguments {
        *argument = u64::from_str_radix(fields.next()?.strip_prefix("0x")?, 16).ok()?;
    }
    Some(RawCall { number, arguments })
}

/// Returns whether only something outside of the program can end this call. A call that is not
/// known here counts as one that ends by itself.
pub(super) fn waits_without_limit(process: &Process, call: &RawCall) -> bool {
    /// A read from any other file ends by itself, also where another process is its file system and
    /// takes its time.
    const SILENT: [&str; 4] = ["socket:", "pipe:", "anon_inode:", "/dev/"];
    let no_pointer = |at: usize| call.arguments[at] == 0;
    let forever = |at: usize| (call.arguments[at] as i32) < 0;
    match call.number {
        libc::SYS_accept | libc::SYS_accept4 | libc::SYS_recvfrom | libc::SYS_recvmsg => true,
        libc::SYS_sendto | libc::SYS_sendmsg | libc::SYS_wait4 | libc::SYS_waitid => true,
        libc::SYS_read | libc::SYS_readv => process.is_one_of(call.arguments[0], &SILENT),
        // The harness reads what the program prints, so that a full pipe does not stay full.
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

/// Returns whether the process has something that may wake it and that no argument of a system call
/// shows: a timerfd, a signalfd, an io_uring, a POSIX timer, or a handler for an alarm.
pub(super) fn has_timers(process: &Process) -> bool {
    const WAKERS: [&str; 3] = ["[timerfd]", "[signalfd]", "[io_uring]"];
    const ALARMS: u64 =
        1 << (libc::SIGALRM - 1) | 1 << (libc::SIGVTALRM - 1) | 1 << (libc::SIGPROF - 1);

    // A kernel without CONFIG_CHECKPOINT_RESTORE does not list them: then there may be some.
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
mod tests {
    use std::process::Command;

    use super::*;
    use crate::observe::linux::descendants::living_parent;
    use crate::observe::linux::task::{stat, thread_stat};
    use crate::observe::linux::testing::{run_and_look, soon};

    fn is_stuck(child: u32) -> bool {
        let parents = |pid: u32| living_parent(pid) == Some(std::process::id());
        assert!(parents(child), "the child has gone");
        let sleeps = || thread_stat(child, child).is_some_and(|stat| stat.sleeps());
        let (call, process) = (waiting_call(child, child), Process::open(child));
        let stuck = call.zip(process).is_some_and(|(call, process)| {
            waits_without_limit(&process, &call) && !has_timers(&process)
        });
        stuck && sleeps()
    }

    #[test]
    fn a_program_that_reads_from_a_pipe_is_stuck() {
        run_and_look(&mut Command::new("cat"), |pid| {
            soon("cat should wait for its input", || is_stuck(pid))
        });
    }

    /// A path does not tell what is behind it: it may be a file of a FUSE file system.
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
                assert!(!is_stuck(pid));
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
                assert!(!is_stuck(pid));
            }
        });
    }

    #[test]
    fn a_program_that_works_is_not_stuck() {
        run_and_look(Command::new("sh").args(["-c", "while :; do :; done"]), |pid| {
            for _ in 0..50 {
                assert!(!is_stuck(pid));
            }
        });
    }
}
