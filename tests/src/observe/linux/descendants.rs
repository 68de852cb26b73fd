//! The children of a process, and its descendants.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::task::thread_count;

/// Makes this process the parent of its orphaned descendants (prctl(2), PR_SET_CHILD_SUBREAPER).
pub(crate) fn become_subreaper() -> std::io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Returns all descendants of a process without zombies, as they are now.
pub(crate) fn descendants(of: u32) -> Vec<u32> {
    descendants_since(of, Instant::now())
}

/// Returns all descendants of a process as they were at `earliest` or later.
pub(super) fn descendants_since(of: u32, earliest: Instant) -> Vec<u32> {
    static IS_LISTED: LazyLock<bool> =
        LazyLock::new(|| fs::exists("/proc/thread-self/children").unwrap_or(false));
    if *IS_LISTED { listed_below(of) } else { found_below(of, earliest) }
}

/// Returns all descendants of a process as they were at most 2 ms ago. That lets checks share one
/// pass over `/proc` where `found_below` needs it.
pub(super) fn recent_descendants(of: u32) -> Vec<u32> {
    let now = Instant::now();
    descendants_since(of, now.checked_sub(Duration::from_millis(2)).unwrap_or(now))
}

/// Follows the kernel's lists of children. The cost does not depend on the machine's other
/// processes. A process that gets another parent meanwhile may be missing; the next call finds it.
fn listed_below(of: u32) -> Vec<u32> {
    let mut seen = BTreeSet::new();
    let mut below = vec![of];
    let mut next = 0;
    while next < below.len() {
        // A child that another thread of its parent adopts meanwhile is in two lists.
        below.extend(children(below[next]).into_iter().filter(|child| seen.insert(*child)));
        next += 1;
    }
    below.split_off(1).into_iter().filter(|pid| living_parent(*pid).is_some()).collect()
}

/// Returns the children of all threads of a process (proc_pid_task(5), children). Returns none
/// where the kernel does not list them.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()
        })
        .collect()
}

/// Searches all processes of the machine, for kernels that have no lists of children
/// (CONFIG_PROC_CHILDREN).
fn found_below(of: u32, earliest: Instant) -> Vec<u32> {
    let parents = processes(earliest);
    let mut found = vec![of];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(
            parents.iter().filter(|(_, its_parent)| *its_parent == parent).map(|(pid, _)| *pid),
        );
        next += 1;
    }
    found.split_off(1)
}

/// The ids of processes and of their parents.
type Parents = Arc<Vec<(u32, u32)>>;

/// Reads all of `/proc`, or returns the last result if that was begun at `earliest` or later.
fn processes(earliest: Instant) -> Parents {
    static LAST: Mutex<Option<(Instant, Parents)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, parents)) = last.as_ref().filter(|(began, _)| *began >= earliest) {
        return parents.clone();
    }
    let began = Instant::now();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parents = Arc::new(pids.filter_map(|pid| Some((pid, living_parent(pid)?))).collect());
    *last = Some((began, Arc::clone(&parents)));
    parents
}

/// Returns the parent of a process, or `None` for a zombie. It reads no more than it needs, since
/// it may be called for every process of the machine.
pub(super) fn living_parent(pid: u32) -> Option<u32> {
    let mut beginning = [0; 128]; // state and parent follow the name, which has at most 64 bytes
    let mut file = fs::File::open(format!("/proc/{pid}/stat")).ok()?;
    let length = file.read(&mut beginning).ok()?;
    let name_end = beginning[..length].iter().rposition(|byte| *byte == b')')?;
    let mut fields = std::str::from_utf8(&beginning[name_end + 1..length]).ok()?.split(' ').skip(1);
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    // The first thread is a zombie, too, where it ended before the others.
    (!matches!(state, "Z" | "X") || thread_count(pid) > 1).then_some(parent)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::observe::linux::testing::{has_python, run_and_look, soon};

    #[test]
    fn both_looks_see_the_same_processes() {
        let children_of_a_thread = "import subprocess, threading
threading.Thread(target=lambda: subprocess.run('cat | cat; :', shell=True)).start()";
        if !has_python() {
            return;
        }
        run_and_look(Command::new("python3").args(["-c", children_of_a_thread]), |pid| {
            let cats = |pids: &BTreeSet<u32>| {
                let names = pids
                    .iter()
                    .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).ok());
                names.filter(|name| name == "cat\n").count()
            };
            soon("both should see the two cats of a thread's shell", || {
                let listed: BTreeSet<u32> = listed_below(pid).into_iter().collect();
                let found: BTreeSet<u32> = found_below(pid, Instant::now()).into_iter().collect();
                cats(&listed) == 2 && listed == found
            });
        });
    }
}
