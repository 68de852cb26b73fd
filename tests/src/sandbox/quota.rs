//! Limits a program. The kernel enforces some limits for each process; the keeper checks the others
//! for all of the program's processes together.
//!
//! In a control group the kernel limits memory and tasks, and a check reads what it has counted.
//! Otherwise a check reads one small file for each process. It first adds up memory as if no page
//! were shared, which can only be too much. It takes the exact account only where that sum is over
//! the limit.
//!
//! A check that cannot be made ends the program: what cannot be counted cannot be limited.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Resource, Rlimit};

use super::folder::size_of_folder;
use super::group::{Joined, RanOut};
use super::messages::LauncherMessage;
use super::spec::Limits;
use super::tally::Tally;
#[cfg(target_os = "linux")]
use super::unlinked::size_of_unlinked;

/// The time between two checks.
pub(super) const INTERVAL: std::time::Duration = std::time::Duration::from_millis(30);

/// Every eighth check measures also what takes longer: the folders that a program may write to, and
/// memory that its processes hold and do not show.
const THOROUGH: u32 = 8;

/// Lowers a limit that the kernel enforces for this process and its descendants.
pub(super) fn limit(what: Resource, most: u64) -> io::Result<()> {
    let hard = rustix::process::getrlimit(what).maximum.unwrap_or(most).min(most);
    Ok(rustix::process::setrlimit(what, Rlimit { current: Some(hard), maximum: Some(hard) })?)
}

/// Raises the limit on descriptors as far as this process may. A descriptor that is sent counts
/// against the sender's limit together with those that any process of the same user has sent and
/// that are not received yet (unix(7), ETOOMANYREFS). A program's own limit is far lower.
#[cfg(target_os = "linux")]
pub(super) fn raise_descriptors() {
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Limits the descriptors of this process, which becomes a program: to at most half of what the
/// harness's processes may have.
#[cfg(target_os = "linux")]
pub(super) fn limit_descriptors(most: u64) -> io::Result<()> {
    let hard = rustix::process::getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    limit(Resource::Nofile, most.min(hard / 2))
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
    group: Option<Arc<Joined>>,
    checks: u32,
    /// The looks that failed since the last thorough one that did not.
    unseen: u32,
}

/// Files in memory that the keeper has made for the program. They hold memory that may be in no
/// process.
pub(super) type MemoryFiles = Arc<Mutex<Vec<fs::File>>>;

const MIB: u64 = 1024 * 1024;

impl Quota {
    pub(super) fn new(limits: Limits, alone: bool, folders: Vec<PathBuf>) -> Self {
        let memory_files = MemoryFiles::default();
        Self { limits, alone, folders, memory_files, group: None, checks: 0, unseen: 0 }
    }

    /// Counts what these files hold, too, and what the kernel has counted for this group.
    pub(super) fn with(self, memory_files: MemoryFiles, group: Option<Arc<Joined>>) -> Self {
        Self { memory_files, group, ..self }
    }

    /// Checks the limits; returns what to tell where one is passed.
    pub(super) fn check(&mut self) -> Option<LauncherMessage> {
        self.checks += 1;
        let found = match self.group.clone() {
            Some(group) => self.check_group(&group),
            None => self.check_all(),
        };
        match found {
            Ok(found) => {
                if self.is_thorough() {
                    self.unseen = 0;
                }
                found
            }
            // A process that executes another program, or ends, may not be seen for a moment.
            Err(_) => {
                self.unseen += 1;
                over(self.unseen >= PATIENCE, || HIDES.to_owned())
            }
        }
    }

    fn check_group(&self, group: &Joined) -> io::Result<Option<LauncherMessage>> {
        let Limits { tasks, memory, processor, .. } = self.limits;
        if let Some(whose) = group.ran_out()? {
            return Ok(Some(out_of_memory(whose, memory)));
        }
        let found = over(group.tasks()? > tasks, || too_many_tasks(tasks));
        if found.is_some() || (processor.is_none() && self.folders.is_empty()) {
            return Ok(found);
        }
        let tally = Tally::of(self.alone)?;
        self.check_processor(&tally).map_or_else(|| self.check_disk(&tally), |it| Ok(Some(it)))
    }

    fn check_all(&self) -> io::Result<Option<LauncherMessage>> {
        let in_files = in_files(&self.memory_files);
        let tally = Tally::of(self.alone)?.with(in_files);
        let Limits { tasks, memory, .. } = self.limits;
        let found = over(tally.tasks > tasks, || too_many_tasks(tasks))
            .or_else(|| {
                over(tally.uses_more_than(memory, self.is_thorough()), || too_much_memory(memory))
            })
            .or_else(|| self.check_processor(&tally));
        found.map_or_else(|| self.check_disk(&tally), |it| Ok(Some(it)))
    }

    fn check_processor(&self, tally: &Tally) -> Option<LauncherMessage> {
        let most = self.limits.processor?.as_secs();
        over(tally.seconds() > most, || limit_of(most, "s of processor time"))
    }

    /// Checks what a build has written, also to files that have no name any more.
    fn check_disk(&self, tally: &Tally) -> io::Result<Option<LauncherMessage>> {
        let disk = self.limits.disk;
        if !self.is_thorough() || self.folders.is_empty() {
            return Ok(None);
        }
        let named: u64 = self.folders.iter().map(|folder| size_of_folder(folder)).sum();
        let takes_more = named + unlinked(&tally.processes)? > disk;
        Ok(over(takes_more, || limit_of(disk / MIB, "MiB on disk")))
    }

    fn is_thorough(&self) -> bool {
        self.checks.is_multiple_of(THOROUGH)
    }
}

/// The number of looks that must fail before it is certain that a program hides.
const PATIENCE: u32 = 3;

/// Returns the bytes of files without a name. Only Linux shows them.
fn unlinked(processes: &[PathBuf]) -> io::Result<u64> {
    #[cfg(target_os = "linux")]
    return size_of_unlinked(processes);
    #[cfg(not(target_os = "linux"))]
    {
        _ = processes;
        Ok(0)
    }
}

/// What a program uses that hides from these checks.
const HIDES: &str = "processes that the grader cannot count";

fn over(is_over: bool, sentence: impl FnOnce() -> String) -> Option<LauncherMessage> {
    is_over.then(|| LauncherMessage::Over(sentence()))
}

fn limit_of(limit: u64, what: &str) -> String {
    format!("more than {limit} {what}, which is the limit")
}

fn too_many_tasks(limit: u64) -> String {
    limit_of(limit, "processes and threads")
}

fn too_much_memory(limit: u64) -> String {
    limit_of(limit / MIB, "MiB of memory")
}

/// Returns what to tell where the kernel has ended a process of the program.
pub(super) fn out_of_memory(whose: RanOut, limit: u64) -> LauncherMessage {
    match whose {
        RanOut::Program => LauncherMessage::Over(too_much_memory(limit)),
        RanOut::Machine => LauncherMessage::Starved,
    }
}

fn in_files(files: &MemoryFiles) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let files = files.lock().unwrap_or_else(PoisonError::into_inner);
    files.iter().filter_map(|file| Some(file.metadata().ok()?.blocks() * 512)).sum()
}
