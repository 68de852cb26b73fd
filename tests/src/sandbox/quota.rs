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
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Resource, Rlimit};

use super::group::{Joined, RanOut};
use super::messages::LauncherMessage;
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
    group: Option<Arc<Joined>>,
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
    /// A folder of `/proc` for each process, which shows its memory.
    processes: Vec<PathBuf>,
}

const MIB: u64 = 1024 * 1024;

impl Quota {
    pub(super) fn new(limits: Limits, alone: bool, folders: Vec<PathBuf>) -> Self {
        let memory_files = MemoryFiles::default();
        Self { limits, alone, folders, memory_files, group: None, checks: 0 }
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
        found.unwrap_or_else(|_| over(true, || HIDES.to_owned()))
    }

    fn check_group(&self, group: &Joined) -> io::Result<Option<LauncherMessage>> {
        let Limits { tasks, memory, processor, .. } = self.limits;
        if let Some(whose) = group.ran_out()? {
            return Ok(Some(out_of_memory(whose, memory)));
        }
        let found = over(group.tasks()? > tasks, || too_many_tasks(tasks));
        if found.is_some() || processor.is_none() {
            return Ok(found.or_else(|| self.check_folders()));
        }
        let tally = Tally::of(self.alone)?;
        Ok(self.check_processor(&tally).or_else(|| self.check_folders()))
    }

    fn check_all(&self) -> io::Result<Option<LauncherMessage>> {
        let in_files = in_files(&self.memory_files);
        let tally = Tally { in_files, ..Tally::of(self.alone)? };
        let Limits { tasks, memory, .. } = self.limits;
        Ok(over(tally.tasks > tasks, || too_many_tasks(tasks))
            .or_else(|| over(tally.uses_more_than(memory), || too_much_memory(memory)))
            .or_else(|| self.check_processor(&tally))
            .or_else(|| self.check_folders()))
    }

    fn check_processor(&self, tally: &Tally) -> Option<LauncherMessage> {
        let most = self.limits.processor?.as_secs();
        over(tally.seconds() > most, || limit_of(most, "s of processor time"))
    }

    fn check_folders(&self) -> Option<LauncherMessage> {
        let disk = self.limits.disk;
        over(self.fills_more_than(disk), || limit_of(disk / MIB, "MiB on disk"))
    }

    fn fills_more_than(&self, disk: u64) -> bool {
        self.checks.is_multiple_of(FOLDERS)
            && self.folders.iter().map(|folder| size_of_folder(folder)).sum::<u64>() > disk
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

/// Returns the program's processes.
fn processes(alone: bool) -> io::Result<Vec<u32>> {
    if alone {
        let entries: Vec<_> = fs::read_dir("/proc")?.collect::<io::Result<_>>()?;
        let pids = entries.iter().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        return Ok(pids.filter(|pid| *pid != 1).collect());
    }
    fs::File::open("/proc/self/stat")?; // fails where the lists of children would be empty
    let mut below = children(std::process::id());
    let mut next = 0;
    while let Some(pid) = below.get(next) {
        below.extend(children(*pid));
        next += 1;
    }
    Ok(below)
}

impl Tally {
    fn of(alone: bool) -> io::Result<Self> {
        let mut tally = Self::default();
        processes(alone)?.into_iter().try_for_each(|pid| tally.add(pid))?;
        Ok(tally)
    }

    /// Adds a process, unless it has ended meanwhile. Where its first thread has ended, another
    /// thread shows its memory.
    fn add(&mut self, pid: u32) -> io::Result<()> {
        let Some(stat) = Stat::read(Path::new("/proc").join(pid.to_string()))? else {
            return Ok(());
        };
        self.tasks += stat.threads();
        self.ticks += stat.ticks();
        let living =
            if stat.has_ended() && stat.threads() > 1 { living_thread(pid)? } else { None };
        self.resident += living.as_ref().unwrap_or(&stat).resident();
        self.processes.push(living.map_or(stat.of, |thread| thread.of));
        Ok(())
    }

    fn uses_more_than(&self, memory: u64) -> bool {
        let exact = || self.processes.iter().map(|of| proportional(of)).sum::<u64>();
        self.resident + self.in_files > memory && exact() + self.in_files > memory
    }

    fn seconds(&self) -> u64 {
        self.ticks / rustix::param::clock_ticks_per_second().max(1)
    }
}

/// The file `stat` of a process or a thread (proc_pid_stat(5)).
struct Stat {
    of: PathBuf,
    after_name: String,
}

impl Stat {
    /// Returns `None` where there is no such process any more.
    fn read(of: PathBuf) -> io::Result<Option<Self>> {
        let bytes = match fs::read(of.join("stat")) {
            Err(error) if has_ended(&error) => return Ok(None),
            read => read?,
        };
        let text = String::from_utf8_lossy(&bytes);
        let after_name = text.rsplit(')').next().unwrap_or_default().to_owned();
        Ok(Some(Self { of, after_name }))
    }

    /// Returns a field, counted from 0 after the name.
    fn field(&self, at: usize) -> u64 {
        let field = self.after_name.split_ascii_whitespace().nth(at);
        field.and_then(|field| field.parse().ok()).unwrap_or(0)
    }

    fn has_ended(&self) -> bool {
        self.after_name.trim_start().starts_with(['Z', 'X'])
    }

    /// The sum of utime, stime, cutime and cstime.
    fn ticks(&self) -> u64 {
        (11..15).map(|at| self.field(at)).sum()
    }

    fn threads(&self) -> u64 {
        self.field(17)
    }

    fn resident(&self) -> u64 {
        self.field(21) * rustix::param::page_size() as u64
    }
}

fn living_thread(pid: u32) -> io::Result<Option<Stat>> {
    let threads = match fs::read_dir(format!("/proc/{pid}/task")) {
        Err(error) if has_ended(&error) => return Ok(None),
        threads => threads?,
    };
    for thread in threads {
        let stat = Stat::read(thread?.path())?;
        if stat.as_ref().is_some_and(|stat| !stat.has_ended()) {
            return Ok(stat);
        }
    }
    Ok(None)
}

/// Whether an error only says that the process has ended meanwhile.
fn has_ended(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

/// Returns the bytes that a process, or all of a thread's process, adds to the program's memory.
fn proportional(of: &Path) -> u64 {
    let text = match fs::read_to_string(of.join("smaps_rollup")) {
        Ok(text) => text,
        Err(error) if has_ended(&error) => return 0,
        // Where the kernel does not tell, all pages count as its own.
        Err(_) => return Stat::read(of.to_owned()).ok().flatten().map_or(0, |it| it.resident()),
    };
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
        * 1024
}

fn in_files(files: &MemoryFiles) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let files = files.lock().unwrap_or_else(PoisonError::into_inner);
    files.iter().filter_map(|file| Some(file.metadata().ok()?.blocks() * 512)).sum()
}

fn size_of_folder(folder: &Path) -> u64 {
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
