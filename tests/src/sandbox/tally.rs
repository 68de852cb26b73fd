//! Adds up what all processes of a program use, from what the kernel shows of each.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::observe::children;

#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) tasks: u64,
    resident: u64,
    /// The bytes of addresses that are mapped.
    addresses: u64,
    /// The bytes that files in memory hold.
    in_files: u64,
    ticks: u64,
    /// A folder of `/proc` for each process, which shows its memory.
    pub(super) processes: Vec<PathBuf>,
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
    pub(super) fn of(alone: bool) -> io::Result<Self> {
        let mut tally = Self::default();
        processes(alone)?.into_iter().try_for_each(|pid| tally.add(pid))?;
        Ok(tally)
    }

    pub(super) fn with(self, in_files: u64) -> Self {
        Self { in_files, ..self }
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
        let shown = living.as_ref().unwrap_or(&stat);
        self.resident += shown.resident();
        self.addresses += shown.addresses();
        self.processes.push(living.map_or(stat.of, |thread| thread.of));
        Ok(())
    }

    /// Whether it uses more than this number of bytes. A thorough look also counts what its
    /// processes hold and do not show: page tables, and shared pages that were given back.
    pub(super) fn uses_more_than(&self, memory: u64, thorough: bool) -> bool {
        let shared = if thorough { self.shared(memory) } else { 0 };
        let besides = self.in_files + shared + if thorough { self.page_tables(memory) } else { 0 };
        let exact = || self.processes.iter().map(|of| proportional(of, shared > 0)).sum::<u64>();
        self.resident + besides > memory && exact() + besides > memory
    }

    /// Returns the size of the anonymous memory that is shared. Which of its pages are in use is
    /// not shown.
    fn shared(&self, memory: u64) -> u64 {
        if self.addresses <= memory {
            return 0;
        }
        let mut sizes = BTreeMap::new();
        for of in &self.processes {
            let maps = fs::read_to_string(of.join("maps")).unwrap_or_default();
            sizes.extend(maps.lines().filter_map(shared_mapping));
        }
        sizes.values().sum()
    }

    fn page_tables(&self, memory: u64) -> u64 {
        /// A table of 4 KiB is for 2 MiB of addresses.
        const ADDRESSES: u64 = 512;
        if self.addresses / ADDRESSES <= memory / 4 {
            return 0;
        }
        let of_process = |of: &PathBuf| {
            let status = fs::read_to_string(of.join("status")).unwrap_or_default();
            kibibytes(&status, "VmPTE:").unwrap_or(0)
        };
        self.processes.iter().map(of_process).sum()
    }

    pub(super) fn seconds(&self) -> u64 {
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

    #[cfg(target_os = "linux")]
    fn is_ending(&self) -> bool {
        const PF_EXITING: u64 = 4; // linux/sched.h
        self.field(6) & PF_EXITING != 0
    }

    /// The sum of utime, stime, cutime and cstime.
    fn ticks(&self) -> u64 {
        (11..15).map(|at| self.field(at)).sum()
    }

    fn threads(&self) -> u64 {
        self.field(17)
    }

    fn addresses(&self) -> u64 {
        self.field(20)
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

/// Whether a process or a thread is ending, or has ended: then the kernel shows it to root alone.
#[cfg(target_os = "linux")]
pub(super) fn is_ending(of: &Path) -> bool {
    let stat = Stat::read(of.to_owned());
    stat.is_ok_and(|stat| stat.is_none_or(|stat| stat.has_ended() || stat.is_ending()))
}

/// Whether an error only says that the process has ended meanwhile.
pub(super) fn has_ended(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

/// Returns the bytes that a process, or all of a thread's process, adds to the program's memory; on
/// request without shared memory, which is counted elsewhere.
fn proportional(of: &Path, without_shared: bool) -> u64 {
    let text = match fs::read_to_string(of.join("smaps_rollup")) {
        Ok(text) => text,
        Err(error) if has_ended(&error) => return 0,
        // Where the kernel does not tell, all pages count as its own.
        Err(_) => return Stat::read(of.to_owned()).ok().flatten().map_or(0, |it| it.resident()),
    };
    let shared = if without_shared { kibibytes(&text, "Pss_Shmem:") } else { None };
    kibibytes(&text, "Pss:").unwrap_or(0).saturating_sub(shared.unwrap_or(0))
}

/// Reads a line such as `Pss:  12 kB`.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_ascii_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Returns the inode, the offset and the size of anonymous memory that is shared, from a line of
/// proc_pid_maps(5): `begin-end rw-s offset device inode /dev/zero (deleted)`.
fn shared_mapping(line: &str) -> Option<((u64, u64), u64)> {
    let line = line.strip_suffix("/dev/zero (deleted)")?;
    let mut fields = line.split_ascii_whitespace();
    let (begin, end) = fields.next()?.split_once('-')?;
    let size = u64::from_str_radix(end, 16).ok()? - u64::from_str_radix(begin, 16).ok()?;
    let offset = u64::from_str_radix(fields.nth(1)?, 16).ok()?;
    Some(((fields.nth(1)?.parse().ok()?, offset), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_anonymous_memory_is_told_from_files() {
        let line = "7f00-9f00 rw-s 00000000 00:01 77                    /dev/zero (deleted)";
        assert_eq!(shared_mapping(line), Some(((77, 0), 0x2000)));
        assert_eq!(shared_mapping("7f00-9f00 r--p 00000000 fe:00 77  /usr/lib/libc.so.6"), None);
    }
}
