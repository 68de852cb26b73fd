//! A launcher's view of its program's control group. The files are opened before the launcher
//! leaves the machine's file tree: no path leads to them afterwards.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags};

use super::super::spec::{Group, Version};
use super::place::kill_all;

/// Whose limit on memory has ended a process of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum RanOut {
    /// The program's own.
    Program,
    /// The machine's, or that of a container round the grader.
    Machine,
}

/// The open files of a group.
#[derive(Debug)]
pub(in super::super) struct Joined {
    entrances: Vec<File>,
    /// Each folder's parent, and its name there.
    folders: Vec<(OwnedFd, OsString)>,
    /// Version 1: `memory.oom_control`; version 2: `memory.events`.
    ends: File,
    /// Version 1: the most memory that was used, and the limit. Version 2 tells in `memory.events`
    /// how often its limit was reached.
    peak: Option<(File, u64)>,
    tasks: File,
    most_tasks: File,
    kill: Option<File>,
}

impl Joined {
    pub(in super::super) fn open(group: &Group) -> io::Result<Self> {
        let (memory, tasks) = (group.memory(), group.tasks());
        let (ends, peak) = match group.version {
            Version::One => ("memory.oom_control", Some(peak(memory)?)),
            Version::Two => ("memory.events", None),
        };
        let write = |place: &Path| OpenOptions::new().write(true).open(place);
        Ok(Self {
            entrances: each(group, |folder| {
                OpenOptions::new().read(true).write(true).open(folder.join("cgroup.procs"))
            })?,
            folders: each(group, parent)?,
            ends: File::open(memory.join(ends))?,
            peak,
            tasks: File::open(tasks.join("pids.current"))?,
            most_tasks: write(&tasks.join("pids.max"))?,
            kill: write(&tasks.join("cgroup.kill")).ok(),
        })
    }

    /// Puts this process into the group.
    pub(in super::super) fn enter(&self) -> io::Result<()> {
        self.entrances.iter().try_for_each(|mut entrance| entrance.write_all(b"0"))
    }

    /// Returns the number of its processes and threads.
    pub(in super::super) fn tasks(&self) -> io::Result<u64> {
        bytes(&text(&self.tasks)?)
    }

    /// Returns whose memory was used up, if the kernel has ended a process for that.
    pub(in super::super) fn ran_out(&self) -> io::Result<Option<RanOut>> {
        let ends = text(&self.ends)?;
        let number = |text: &str, name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        if number(&ends, "oom_kill") == 0 {
            return Ok(None);
        }
        let is_own = match &self.peak {
            Some((peak, limit)) => bytes(&text(peak)?)? + SLACK >= *limit,
            None => number(&ends, "oom") > 0,
        };
        Ok(Some(if is_own { RanOut::Program } else { RanOut::Machine }))
    }

    /// Kills all processes in the group, and lets no more begin.
    pub(in super::super) fn kill(&self) {
        _ = self.most_tasks.write_at(b"0", 0);
        if self.kill.as_ref().is_none_or(|kill| kill.write_at(b"1", 0).is_err())
            && let Some(list) = self.entrances.last().and_then(|procs| text(procs).ok())
        {
            kill_all(&list);
        }
    }

    /// Removes the group once its last process has ended.
    pub(in super::super) fn remove(&self) {
        const TRIES: u32 = 50;
        for (parent, name) in &self.folders {
            for _ in 0..TRIES {
                match rustix::fs::unlinkat(parent, name.as_os_str(), AtFlags::REMOVEDIR) {
                    Err(rustix::io::Errno::BUSY) => std::thread::sleep(Duration::from_millis(2)),
                    _ => break,
                }
            }
        }
    }
}

/// The kernel counts memory in portions, one for each processor.
const SLACK: u64 = 1024 * 1024;

fn peak(folder: &Path) -> io::Result<(File, u64)> {
    let limit = std::fs::read_to_string(folder.join("memory.limit_in_bytes"))?;
    Ok((File::open(folder.join("memory.max_usage_in_bytes"))?, bytes(&limit)?))
}

fn bytes(text: &str) -> io::Result<u64> {
    text.trim().parse().map_err(io::Error::other)
}

fn each<T>(group: &Group, open: impl Fn(&Path) -> io::Result<T>) -> io::Result<Vec<T>> {
    group.folders.iter().map(|folder| open(folder)).collect()
}

fn parent(folder: &Path) -> io::Result<(OwnedFd, OsString)> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let above = folder.parent().unwrap_or(Path::new("/"));
    let name = folder.file_name().unwrap_or_default().to_owned();
    Ok((rustix::fs::open(above, flags, Mode::empty())?, name))
}

/// Reads a file of the kernel's from its beginning.
fn text(file: &File) -> io::Result<String> {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        match file.read_at(&mut part, bytes.len() as u64)? {
            0 => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            count => bytes.extend(&part[..count]),
        }
    }
}
