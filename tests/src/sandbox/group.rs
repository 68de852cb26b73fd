//! Limits all processes of a program together by a control group (cgroups(7)).
//!
//! The kernel counts what no look at the processes shows: files in memory, page tables, buffers of
//! sockets, processes that have just started. The harness makes a group for each launch where it may
//! write one. The program enters it before it gives up its rights; its keeper stays outside.

mod joined;
mod place;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

pub(super) use joined::{Joined, RanOut};
pub(super) use place::memory_of_machine;

use super::kernel::about;
use super::messages::LAUNCH;
use super::spec::{Group, Limits, Version};
use super::wire::Channel;

/// Where the groups of a run are made.
#[derive(Debug)]
pub(super) struct Groups {
    version: Version,
    places: Vec<PathBuf>,
    /// The beginning of the names of its groups.
    name: String,
    made: AtomicU32,
}

impl Groups {
    /// Finds a place for groups by making one and putting a process into it. Removes what graders
    /// that were killed have left there. The error says why there is no place.
    pub(super) fn find(launcher: &Path) -> io::Result<Self> {
        let mut why = io::Error::other("this system shows no control groups");
        for (version, places) in place::candidates() {
            let groups =
                Self { version, places, name: place::own_name()?, made: AtomicU32::new(0) };
            match groups.try_one(launcher) {
                Ok(()) => {
                    groups.places.iter().for_each(|place| place::remove_leftovers(version, place));
                    return Ok(groups);
                }
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    fn try_one(&self, launcher: &Path) -> io::Result<()> {
        place::prepare(self.version, &self.places)?;
        let group = self.make(&Limits::RUN)?;
        let tried = group.holds_a_process(launcher);
        group.remove();
        tried
    }

    /// Makes a group with these limits.
    pub(super) fn make(&self, limits: &Limits) -> io::Result<Group> {
        let name = format!("{}{}", self.name, self.made.fetch_add(1, Ordering::Relaxed));
        let folders = self.places.iter().map(|place| place.join(&name)).collect();
        let group = Group { version: self.version, folders };
        match group.begin(limits) {
            Ok(()) => Ok(group),
            Err(error) => {
                group.remove();
                Err(error)
            }
        }
    }
}

/// Lets a program exceed its limit on tasks, so that the keeper sees it.
pub(super) const SPARE: u64 = 8;

impl Drop for Groups {
    /// Removes what a launcher that was killed has left.
    fn drop(&mut self) {
        self.places.iter().for_each(|place| {
            place::remove_named(self.version, place, |name| name.starts_with(&self.name))
        });
    }
}

impl Group {
    fn begin(&self, limits: &Limits) -> io::Result<()> {
        self.folders.iter().try_for_each(|folder| {
            std::fs::create_dir(folder).map_err(|error| about("cannot make a control group", error))
        })?;
        let memory = match limits.memory {
            u64::MAX => "max".to_owned(),
            bytes => bytes.to_string(),
        };
        self.write(Self::tasks, "pids.max", &(limits.tasks + SPARE).to_string())?;
        match self.version {
            Version::Two => {
                self.write(Self::memory, "memory.max", &memory)?;
                // Without swap or on an older kernel a file may be missing.
                _ = self.write(Self::memory, "memory.swap.max", "0");
                _ = self.write(Self::memory, "memory.oom.group", "1");
            }
            Version::One if limits.memory == u64::MAX => {}
            Version::One => {
                self.write(Self::memory, "memory.limit_in_bytes", &memory)?;
                _ = self.write(Self::memory, "memory.memsw.limit_in_bytes", &memory);
                // The buffers of TCP sockets have an account of their own.
                let buffers = (limits.memory / 4).to_string();
                _ = self.write(Self::memory, "memory.kmem.tcp.limit_in_bytes", &buffers);
            }
        }
        Ok(())
    }

    fn write(&self, folder: fn(&Self) -> &Path, file: &str, value: &str) -> io::Result<()> {
        std::fs::write(folder(self).join(file), value)
            .map_err(|error| about(format!("cannot write a control group's {file}"), error))
    }

    fn memory(&self) -> &Path {
        self.folders.first().map_or(Path::new(""), PathBuf::as_path)
    }

    fn tasks(&self) -> &Path {
        self.folders.last().map_or(Path::new(""), PathBuf::as_path)
    }

    /// Puts a process that waits for its first message into the group, and takes it out by its end.
    fn holds_a_process(&self, launcher: &Path) -> io::Result<()> {
        let (channel, theirs) = Channel::pair()?;
        let mut process = Command::new(launcher)
            .arg(LAUNCH)
            .env_clear()
            .stdin(theirs)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let entered = self.folders.iter().try_for_each(|folder| {
            std::fs::write(folder.join("cgroup.procs"), process.id().to_string())
                .map_err(|error| about("cannot enter a control group", error))
        });
        drop(channel);
        process.wait()?;
        entered
    }

    /// Removes the group, with what is left in it.
    pub(super) fn remove(&self) {
        self.folders.iter().for_each(|folder| place::remove(self.version, folder));
    }
}
