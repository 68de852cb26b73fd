//! The processes, threads, memory and processor time of a program.

use std::fs;
use std::time::Duration;

use super::call::waiting_call;
use super::descendants::{descendants, recent_descendants};
use super::task::{schedstat, stat, thread_stat, threads};
use crate::observe::facts::{CpuTime, TaskCounts};

pub(crate) fn tasks(launcher: u32) -> Option<TaskCounts> {
    let processes = descendants(launcher);
    let threads: usize = processes.iter().map(|pid| threads(*pid).len()).sum();
    (!processes.is_empty()).then_some(TaskCounts { processes: processes.len(), threads })
}

pub(crate) fn resident_memory(launcher: u32) -> Option<u64> {
    recent_descendants(launcher).into_iter().map(proportional_memory).sum()
}

/// Returns the proportional set size in bytes: a page that `n` processes share counts as 1/n of a
/// page (proc_pid_smaps(5), smaps_rollup). Returns 0 where the process has ended.
fn proportional_memory(pid: u32) -> Option<u64> {
    const KIB: u64 = 1024;
    let text = match fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
        Ok(text) => text,
        Err(_) => return stat(pid).is_none_or(|stat| stat.has_ended()).then_some(0),
    };
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * KIB)
}

pub(crate) fn cpu_time(launcher: u32) -> Option<CpuTime> {
    let cpu_times = recent_descendants(launcher).into_iter().flat_map(|pid| {
        threads(pid).into_iter().filter_map(move |tid| Some(schedstat(pid, tid)?.cpu_time))
    });
    let ended = CpuTime { ran: ended_orphans(launcher), ..CpuTime::default() };
    Some(cpu_times.fold(ended, CpuTime::plus))
}

/// Returns the processor time of processes that have ended and that no process of the program has
/// waited for: the launcher has. A program may do all its work in such processes.
fn ended_orphans(launcher: u32) -> Duration {
    let ticks = stat(launcher).map_or(0, |stat| stat.ticks_of_children());
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

pub(crate) fn total_cpu_time(launcher: u32) -> Option<Duration> {
    cpu_time_of(launcher, &descendants(launcher))
}

/// Adds the times of these processes, of their ended children, and of the launcher's ended
/// children.
pub(super) fn cpu_time_of(launcher: u32, processes: &[u32]) -> Option<Duration> {
    let own: Option<u64> =
        processes.iter().map(|&pid| Some(stat(pid)?.ticks_with_children())).sum();
    let reaped = stat(launcher)?.ticks_of_children();
    Some(Duration::from_secs_f64(
        (own.unwrap_or(0) + reaped) as f64 / rustix::param::clock_ticks_per_second() as f64,
    ))
}

pub(crate) fn is_running(launcher: u32) -> bool {
    any_thread(launcher, |pid, tid, state| match state {
        'R' => true,
        'D' => !waits_for_a_child(pid, tid),
        _ => false,
    })
}

pub(crate) fn is_ready(launcher: u32) -> bool {
    any_thread(launcher, |_, _, state| state == 'R')
}

fn any_thread(launcher: u32, is_one: impl Fn(u32, u32, char) -> bool) -> bool {
    let is_one = |pid, tid| thread_stat(pid, tid).is_some_and(|stat| is_one(pid, tid, stat.state));
    recent_descendants(launcher)
        .into_iter()
        .any(|pid| threads(pid).into_iter().any(|tid| is_one(pid, tid)))
}

/// Returns whether a thread in an uninterruptible sleep is there because of its own program, which
/// waits for a child to execute another one (vfork(2)). Otherwise it waits for the kernel: for a
/// disk, or for a lock that all processes of a machine share when they fork.
fn waits_for_a_child(pid: u32, tid: u32) -> bool {
    waiting_call(pid, tid).is_some_and(|call| {
        #[cfg(target_arch = "x86_64")]
        if call.number == libc::SYS_vfork {
            return true;
        }
        call.number == libc::SYS_clone && call.arguments[0] & libc::CLONE_VFORK as u64 != 0
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::observe::linux::testing::{has_python, run_and_look, soon};

    #[test]
    fn processes_and_threads_are_counted() {
        run_and_look(Command::new("sh").args(["-c", "cat | cat"]), |pid| {
            soon("two should be there", || {
                tasks(pid) == Some(TaskCounts { processes: 2, threads: 2 })
            });
        });
    }

    #[test]
    fn memory_that_is_used_shows() {
        let hold = "import sys; held = bytearray(b'x') * 50_000_000; sys.stdin.read()";
        if !has_python() {
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
}
