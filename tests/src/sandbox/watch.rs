//! Whether a program keeps to its limits: what the kernel does not enforce for all of its processes
//! together is watched.
//!
//! A look costs one small file for each process. Memory is first added up as if nothing were
//! shared, which can only be too much; the exact account is taken only where that is over the
//! limit.

use std::fs;
use std::path::PathBuf;

use super::Limits;
use crate::observe::children;

/// Between two looks.
pub(crate) const INTERVAL: std::time::Duration = std::time::Duration::from_millis(30);

/// Looks at the folders that a program may write to are rarer: each walks through them.
const FOLDERS: u32 = 8;

/// What keeps an eye on the processes below this one.
#[derive(Debug)]
pub(crate) struct Watch {
    limits: Limits,
    /// This process is the first one of its process namespace: all others are the program's.
    alone: bool,
    folders: Vec<PathBuf>,
    looks: u32,
}

#[derive(Debug, Default)]
struct Tally {
    tasks: u64,
    resident: u64,
    ticks: u64,
    processes: Vec<u32>,
}

const MIB: u64 = 1024 * 1024;

impl Watch {
    pub(crate) fn new(limits: Limits, alone: bool, folders: Vec<PathBuf>) -> Self {
        Self { limits, alone, folders, looks: 0 }
    }

    /// Which limit is passed, in a sentence with its figure.
    pub(crate) fn look(&mut self) -> Option<String> {
        self.looks += 1;
        let tally = if self.alone { tally_of_namespace() } else { tally_below(std::process::id()) };
        let Limits { tasks, memory, disk, processor, .. } = self.limits;
        if tally.tasks > tasks {
            return Some(format!("more than {tasks} processes and threads: that is its limit"));
        }
        if tally.resident > memory {
            let exact = tally.processes.iter().map(|pid| proportional(*pid)).sum::<u64>();
            if exact > memory {
                return Some(format!(
                    "more than {} MiB of memory: that is its limit",
                    memory / MIB
                ));
            }
        }
        if let Some(limit) = processor {
            let spent = tally.ticks / rustix::param::clock_ticks_per_second().max(1);
            if spent > limit.as_secs() {
                return Some(format!(
                    "more than {} s of processor time: that is its limit",
                    limit.as_secs()
                ));
            }
        }
        if !self.folders.is_empty() && self.looks.is_multiple_of(FOLDERS) {
            let used: u64 = self.folders.iter().map(|folder| size_of_folder(folder)).sum();
            if used > disk {
                return Some(format!("more than {} MiB on disk: that is its limit", disk / MIB));
            }
        }
        None
    }
}

fn tally_of_namespace() -> Tally {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut tally = Tally::default();
    pids.filter(|pid| *pid != 1).for_each(|pid| tally.add(pid));
    tally
}

fn tally_below(pid: u32) -> Tally {
    let mut tally = Tally::default();
    let mut waiting = children(pid);
    while let Some(pid) = waiting.pop() {
        tally.add(pid);
        waiting.extend(children(pid));
    }
    tally
}

impl Tally {
    /// `/proc/PID/stat`, counted from behind the name: utime, stime, cutime, cstime, num_threads,
    /// rss (proc_pid_stat(5)).
    fn add(&mut self, pid: u32) {
        let Ok(bytes) = fs::read(format!("/proc/{pid}/stat")) else { return };
        let text = String::from_utf8_lossy(&bytes);
        let Some(after) = text.rfind(')').and_then(|at| text.get(at + 1..)) else { return };
        let fields: Vec<&str> = after.split_ascii_whitespace().collect();
        let field =
            |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        self.processes.push(pid);
        self.tasks += field(17);
        self.ticks += (11..15).map(field).sum::<u64>();
        self.resident += field(21) * rustix::param::page_size() as u64;
    }
}

/// Its share of its pages, in bytes (proc_pid_smaps(5), smaps_rollup); 0 where it has gone or the
/// kernel does not tell.
fn proportional(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
        * 1024
}

fn size_of_folder(folder: &std::path::Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut folders = vec![folder.to_owned()];
    let mut size = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(facts) = entry.metadata() else { continue };
            size += facts.blocks() * 512;
            if facts.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    size
}
