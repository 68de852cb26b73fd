//! Threads: which a process has, their states, and their processor time (proc_pid_task(5)).

use std::fs;
use std::time::Duration;

use crate::observe::facts::CpuTime;

/// Returns the thread ids of a process.
pub(super) fn threads(pid: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// Returns the number of threads of a process, or 0 where it has gone. A folder has a link from its
/// parent, one from itself, and one from each folder in it.
pub(crate) fn thread_count(pid: u32) -> u32 {
    let links = fs::metadata(format!("/proc/{pid}/task"))
        .map_or(0, |folder| std::os::unix::fs::MetadataExt::nlink(&folder));
    links.saturating_sub(2) as u32
}

/// What `/proc/PID/stat` says of a process or thread (proc_pid_stat(5)).
pub(super) struct Stat {
    pub(super) state: char,
    /// utime, stime, cutime and cstime, in clock ticks.
    times: [u64; 4],
    /// The page faults of its children that have ended (cminflt).
    pub(super) faults_of_children: u64,
}

impl Stat {
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    pub(super) fn sleeps(&self) -> bool {
        self.state == 'S'
    }

    pub(super) fn ticks_with_children(&self) -> u64 {
        self.times.iter().sum()
    }

    pub(super) fn ticks_of_children(&self) -> u64 {
        self.times[2] + self.times[3]
    }
}

pub(super) fn stat(pid: u32) -> Option<Stat> {
    stat_of(&pid.to_string())
}

pub(super) fn thread_stat(pid: u32, tid: u32) -> Option<Stat> {
    stat_of(&format!("{pid}/task/{tid}"))
}

/// Counts the fields from the last parenthesis: the name in parentheses may hold anything.
fn stat_of(task: &str) -> Option<Stat> {
    let text = String::from_utf8_lossy(&fs::read(format!("/proc/{task}/stat")).ok()?).into_owned();
    let fields: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
    let time = |at: usize| fields.get(at).and_then(|field| field.parse().ok());
    Some(Stat {
        state: fields.first()?.chars().next()?,
        times: [time(11)?, time(12)?, time(13)?, time(14)?],
        faults_of_children: time(8)?,
    })
}

/// What the scheduler counts of a thread.
pub(super) struct SchedStat {
    pub(super) cpu_time: CpuTime,
    /// The number of times that it was on a processor.
    pub(super) times_run: u64,
}

/// Reads `/proc/PID/task/TID/schedstat`: nanoseconds on a processor, nanoseconds in the run queue,
/// times on a processor (the kernel's documentation, scheduler/sched-stats.rst).
pub(super) fn schedstat(pid: u32, tid: u32) -> Option<SchedStat> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/schedstat")).ok()?;
    let mut fields = text.split_ascii_whitespace().map(str::parse::<u64>);
    let mut next = || fields.next()?.ok();
    let (ran, queued) = (Duration::from_nanos(next()?), Duration::from_nanos(next()?));
    Some(SchedStat { cpu_time: CpuTime { ran, queued }, times_run: next()? })
}

/// Returns the processor time of the calling thread (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID).
pub(crate) fn thread_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}
