//! The threads of a process, by `/proc/PID/task` (proc_pid_task(5)).

use std::fs;
use std::time::Duration;

use crate::observe::facts::Effort;

pub(super) fn threads(pid: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// A folder has a link from itself, one from its parent and one from each folder in it.
pub(crate) fn thread_count(pid: u32) -> u32 {
    let links = fs::metadata(format!("/proc/{pid}/task"))
        .map_or(0, |folder| std::os::unix::fs::MetadataExt::nlink(&folder));
    links.saturating_sub(2) as u32
}

pub(super) struct Stat {
    pub(super) state: char,
    /// utime, stime, cutime, cstime, in clock ticks.
    times: [u64; 4],
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

/// `/proc/PID/stat`; the name in parentheses may hold anything, so the fields are counted from its
/// last parenthesis.
pub(super) fn stat(pid: u32) -> Option<Stat> {
    stat_of(&pid.to_string())
}

pub(super) fn thread_stat(pid: u32, tid: u32) -> Option<Stat> {
    stat_of(&format!("{pid}/task/{tid}"))
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

pub(super) struct SchedStat {
    pub(super) effort: Effort,
    pub(super) times_run: u64,
}

/// `/proc/PID/task/TID/schedstat`: nanoseconds on a processor, nanoseconds in the run queue, times
/// run (sched-stats.rst).
pub(super) fn schedstat(pid: u32, tid: u32) -> Option<SchedStat> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/schedstat")).ok()?;
    let mut fields = text.split_ascii_whitespace().map(str::parse::<u64>);
    let mut next = || fields.next()?.ok();
    let (ran, queued) = (Duration::from_nanos(next()?), Duration::from_nanos(next()?));
    Some(SchedStat { effort: Effort { ran, queued }, times_run: next()? })
}

/// The processor time that the calling thread has used (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID).
pub(crate) fn own_processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}
