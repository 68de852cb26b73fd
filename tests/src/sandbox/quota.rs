//! Limits a program. The kernel enforces some limits for each process; the keeper checks the others
//! for all of the program's processes together.
//!
//! A check reads one small file for each process. It first adds up memory as if no page were
//! shared, which can only be too much. It takes the exact account only where that sum is over the
//! limit.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Resource, Rlimit};

use super::spec::Limits;
use crate::observe::children;

/// The time between two checks.
pub(super) const INTERVAL: std::time::Duration = std::time::Duration::from_millis(30);

/// The folders that a program may write to are measured at every eighth check only: that walks
/// through them.
const FOLDERS: u32 = 8;

/// Lowers a limit that the kernel enforces for this process and its descendants.
pub(super) fn limit(what: Resource, most: u64) -> io::Result<()> {
    let hard = rustix::process::getrlimit(what).maximum.unwrap_or(most).min(most);
    Ok(rustix::process::setrlimit(what, Rlimit { current: Some(hard), maximum: Some(hard) })?)
}

/// Keeps a crash from starting a crash reporter outside. A limit of 0 still lets the kernel start
/// one through a pipe; a limit of 1 does not (core(5), kernel/coredump).
pub(super) fn report_no_crash() -> io::Result<()> {
    limit(Resource::Core, 1)
}

/// The limits that are checked for all processes below this one.
#[derive(Debug)]
pub(super) struct Quota {
    limits: Limits,
    /// Whether this process is the first of its process namespace: then all others are the
    /// program's.
    alone: bool,
    folders: Vec<PathBuf>,
    memory_files: MemoryFiles,
    checks: u32,
}

/// Files in memory that the keeper has made for the program. They hold memory that may be in no
/// process.
pub(super) type MemoryFiles = Arc<Mutex<Vec<fs::File>>>;

#[derive(Debug, Default)]
struct Tally {
    tasks: u64,
    resident: u64,
    /// The bytes that files in memory hold.
    in_files: u64,
    ticks: u64,
    processes: Vec<u32>,
}

const MIB: u64 = 1024 * 1024;

impl Quota {
    pub(super) fn new(limits: Limits, alone: bool, folders: Vec<PathBuf>) -> Self {
        Self { limits, alone, folders, memory_files: MemoryFiles::default(), checks: 0 }
    }

    /// Counts what these files hold, too.
    pub(super) fn with(self, memory_files: MemoryFiles) -> Self {
        Self { memory_files, ..self }
    }

    /// Checks the limits; returns the one that is passed, in a sentence with its number.
    pub(super) fn check(&mut self) -> Option<String> {
        self.checks += 1;
        let mut tally = Tally { in_files: in_files(&self.memory_files), ..Tally::default() };
        processes(self.alone).into_iter().for_each(|pid| tally.add(pid));
        let Limits { tasks, memory, disk, processor, .. } = self.limits;
        let over = |is_over: bool, limit: u64, what: &str| {
            is_over.then(|| format!("more than {limit} {what}, which is the limit"))
        };
        over(tally.tasks > tasks, tasks, "processes and threads")
            .or_else(|| over(tally.uses_more_than(memory), memory / MIB, "MiB of memory"))
            .or_else(|| {
                let most = processor?.as_secs();
                over(tally.seconds() > most, most, "s of processor time")
            })
            .or_else(|| over(self.fills_more_than(disk), disk / MIB, "MiB on disk"))
    }

    fn fills_more_than(&self, disk: u64) -> bool {
        self.checks.is_multiple_of(FOLDERS)
            && self.folders.iter().map(|folder| size_of_folder(folder)).sum::<u64>() > disk
    }
}

/// Returns the program's processes.
fn processes(alone: bool) -> Vec<u32> {
    if alone {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        return pids.filter(|pid| *pid != 1).collect();
    }
    let mut below = children(std::process::id());
    let mut next = 0;
    while let Some(pid) = below.get(next) {
        below.extend(children(*pid));
        next += 1;
    }
    below
}

impl Tally {
    /// Reads `/proc/PID/stat`. Fields are counted after the name: utime, stime, cutime, cstime,
    /// num_threads, rss (proc_pid_stat(5)).
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

    fn uses_more_than(&self, memory: u64) -> bool {
        let exact = || self.processes.iter().map(|pid| proportional(*pid)).sum::<u64>();
        self.resident + self.in_files > memory && exact() + self.in_files > memory
    }

    fn seconds(&self) -> u64 {
        self.ticks / rustix::param::clock_ticks_per_second().max(1)
    }
}

/// Returns a process's share of its pages, in bytes (proc_pid_smaps(5), smaps_rollup); 0 where the
/// process has ended or the kernel does not tell.
fn proportional(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
        * 1024
}

fn in_files(files: &MemoryFiles) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let files = files.lock().unwrap_or_else(PoisonError::into_inner);
    files.iter().filter_map(|file| Some(file.metadata().ok()?.blocks() * 512)).sum()
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
