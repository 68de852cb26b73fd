//! Finds the folders in which control groups can be made, and removes groups.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::super::kernel::about;
use super::super::spec::Version;

/// The beginning of the name of each group of each grader.
const PREFIX: &str = "socket-practicals";

/// The kernel's files about this process and its mounts.
struct System {
    cgroup: String,
    mounts: String,
}

/// A mounted hierarchy.
struct Mount<'a> {
    /// The group that the mount point shows.
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    /// The controllers of a hierarchy of version 1.
    options: &'a str,
}

/// Returns the places where groups may be possible, the best first: the folders of one place are in
/// the hierarchies of memory and of tasks.
pub(super) fn candidates() -> Vec<(Version, Vec<PathBuf>)> {
    System::read().candidates()
}

impl System {
    fn read() -> Self {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        Self { cgroup: read("/proc/self/cgroup"), mounts: read("/proc/self/mountinfo") }
    }

    fn candidates(&self) -> Vec<(Version, Vec<PathBuf>)> {
        // In version 2 a group with processes has no children with limits: a place is above.
        let two = self.own_and_above().into_iter().map(|place| (Version::Two, vec![place]));
        let one = self.of_controller("memory").zip(self.of_controller("pids"));
        let one = one.map(|(memory, tasks)| {
            let places = if memory == tasks { vec![memory] } else { vec![memory, tasks] };
            (Version::One, places)
        });
        two.filter(|(_, places)| has_controllers(&places[0])).chain(one).collect()
    }

    fn mounts(&self) -> impl Iterator<Item = Mount<'_>> {
        self.mounts.lines().filter_map(mount)
    }

    /// Returns this process's group in the hierarchy of version 2 and those above it.
    fn own_and_above(&self) -> Vec<PathBuf> {
        let own = self.cgroup.lines().find_map(|line| line.strip_prefix("0::"));
        let mount = self.mounts().find(|mount| mount.kind == "cgroup2");
        let Some((own, mount)) = own.zip(mount) else { return Vec::new() };
        let Some(place) = mount.place(own) else { return Vec::new() };
        let within = place.ancestors().take_while(|above| above.starts_with(mount.point));
        within.map(Path::to_owned).collect()
    }

    /// Returns this process's group in a hierarchy of version 1.
    fn of_controller(&self, name: &str) -> Option<PathBuf> {
        let own = self.cgroup.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            controllers.split(',').any(|other| other == name).then_some(path)
        })?;
        let has = |mount: &Mount| {
            mount.kind == "cgroup" && mount.options.split(',').any(|option| option == name)
        };
        self.mounts().find(has)?.place(own)
    }
}

impl Mount<'_> {
    /// Returns the folder of a group.
    fn place(&self, group: &str) -> Option<PathBuf> {
        let below = Path::new(group).strip_prefix(self.root).ok()?;
        Some(Path::new(self.point).join(below))
    }
}

/// Reads the fields `id parent device root point options [...] - kind source options`
/// (proc_pid_mountinfo(5)).
fn mount(line: &str) -> Option<Mount<'_>> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let mut after = after.split(' ');
    let (root, point) = (before.next()?, before.next()?);
    Some(Mount { root, point, kind: after.next()?, options: after.nth(1)? })
}

fn has_controllers(place: &Path) -> bool {
    lists(place, "cgroup.controllers")
}

fn lists(place: &Path, file: &str) -> bool {
    let text = fs::read_to_string(place.join(file)).unwrap_or_default();
    ["memory", "pids"].iter().all(|name| text.split_ascii_whitespace().any(|it| it == *name))
}

/// Makes the limits available to the groups in this place. That changes nothing for a place above
/// this process's own group: there the limits must be available already.
pub(super) fn prepare(version: Version, places: &[PathBuf]) -> io::Result<()> {
    let file = "cgroup.subtree_control";
    let [place] = places else { return Ok(()) };
    if version == Version::One || lists(place, file) {
        return Ok(());
    }
    let own = System::read().own_and_above().into_iter().next();
    if own.as_ref() != Some(place) {
        let place = place.display();
        return Err(io::Error::other(format!("{place} gives its groups no limits")));
    }
    fs::write(place.join(file), "+memory +pids")
        .map_err(|error| about("this process's control group takes no groups below it", error))
}

/// Returns a beginning for the names of groups that is used only once. It says whose they are: the
/// process namespace, the process and its start.
pub(super) fn own_name() -> io::Result<String> {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let of_process = of_process(std::process::id());
    let of_process = of_process.ok_or_else(|| io::Error::other("/proc shows no processes"))?;
    Ok(format!("{of_process}{}.", GIVEN.fetch_add(1, Ordering::Relaxed)))
}

/// Returns the beginning of the names of a process's groups; `None` where there is no such process.
fn of_process(pid: u32) -> Option<String> {
    let text = String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat")).ok()?).into_owned();
    let start = text.rsplit(')').next()?.split_ascii_whitespace().nth(19)?.to_owned();
    Some(format!("{PREFIX}.{}.{pid}.{start}.", processes()))
}

/// Returns the number of this process namespace.
fn processes() -> u64 {
    fs::metadata("/proc/self/ns/pid").map_or(0, |facts| facts.ino())
}

/// Removes the groups of graders that were killed.
pub(super) fn remove_leftovers(version: Version, place: &Path) {
    remove_named(version, place, is_left);
}

/// Removes the groups with such names.
pub(super) fn remove_named(version: Version, place: &Path, has_name: impl Fn(&str) -> bool) {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_str().is_some_and(&has_name)) {
        remove(version, &entry.path());
    }
}

/// Returns whether this is the name of a group whose grader has ended.
fn is_left(name: &str) -> bool {
    let own = format!("{PREFIX}.{}.", processes());
    let Some(rest) = name.strip_prefix(&own) else { return false };
    let pid = rest.split('.').next().and_then(|pid| pid.parse().ok());
    pid.is_some_and(|pid| of_process(pid).is_none_or(|begins| !name.starts_with(&begins)))
}

/// Ends what is left in a group, and removes it.
pub(super) fn remove(version: Version, folder: &Path) {
    const TRIES: u32 = 50;
    for _ in 0..TRIES {
        match fs::remove_dir(folder) {
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
            _ => return,
        }
        if version == Version::One || fs::write(folder.join("cgroup.kill"), "1").is_err() {
            _ = fs::write(folder.join("pids.max"), "0");
            kill_all(&fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Kills the processes of a list, one in a line.
pub(super) fn kill_all(list: &str) {
    let pids = list.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?));
    pids.for_each(|pid| _ = rustix::process::kill_process(pid, Signal::KILL));
}

/// Returns the bytes of memory that this container or machine may use, in all.
pub(in super::super) fn memory_of_machine() -> Option<u64> {
    let system = System::read();
    let two = system.own_and_above().into_iter().map(|place| place.join("memory.max"));
    let one = system.of_controller("memory").map(|place| place.join("memory.limit_in_bytes"));
    let limits =
        two.chain(one).filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
    limits.chain(total_memory()).min()
}

fn total_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.split_ascii_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(cgroup: &str, mounts: &str) -> System {
        System { cgroup: cgroup.to_owned(), mounts: mounts.to_owned() }
    }

    #[test]
    fn places_of_version_1_are_in_the_hierarchies_of_memory_and_of_tasks() {
        let mounts = "1 2 0:1 / /cg/memory rw - cgroup cgroup rw,memory\n\
                      1 2 0:1 /box /cg/pids rw shared:4 - cgroup cgroup rw,cpu,pids\n";
        let found = system("4:memory:/a/b\n3:cpu,pids:/box/c\n0::/\n", mounts).candidates();
        assert_eq!(found, [(Version::One, vec!["/cg/memory/a/b".into(), "/cg/pids/c".into()])]);
        let without = system("4:memory:/a/b\n", mounts).candidates();
        assert_eq!(without, []);
    }

    #[test]
    fn places_of_version_2_have_both_controllers_and_the_nearest_comes_first() {
        let root = tempfile::tempdir().unwrap();
        let session = root.path().join("user.slice/session");
        fs::create_dir_all(&session).unwrap();
        let set = |place: &Path, text: &str| fs::write(place.join("cgroup.controllers"), text);
        set(&session, "cpu pids").unwrap();
        set(&root.path().join("user.slice"), "cpu memory pids\n").unwrap();
        set(root.path(), "memory pids").unwrap();
        let mounts = format!("1 2 0:1 / {} rw - cgroup2 cgroup2 rw\n", root.path().display());
        let found = system("0::/user.slice/session\n", &mounts).candidates();
        let expected = [root.path().join("user.slice"), root.path().to_owned()];
        assert_eq!(found, expected.map(|place| (Version::Two, vec![place])));
    }

    #[test]
    fn only_the_groups_of_a_grader_that_has_ended_are_left() {
        let own = own_name().unwrap();
        assert!(!is_left(&format!("{own}7")));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let other = of_process(child.id()).unwrap();
        child.wait().unwrap();
        assert!(is_left(&format!("{other}0.7")));
        assert!(!is_left("socket-practicals.1.2.3.4"), "another process namespace");
        assert!(!is_left("user.slice"));
    }
}
