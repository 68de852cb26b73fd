//! What this machine lets a program and the harness have. A limit of the machine that is too low
//! for a check is a fault, and never the student's loss.

#[cfg(unix)]
mod fit;

use crate::fault::Fault;
#[cfg(target_os = "linux")]
use crate::sandbox::tasks_of_this_user;

#[cfg(unix)]
pub use fit::check_machine;

/// Other systems set no limits that a grading could reach.
#[cfg(not(unix))]
pub fn check_machine() -> Result<(), Fault> {
    Ok(())
}

/// How many descriptors a process needs besides those of its clients.
const BESIDES: usize = 64;

/// Checks, before `clients` clients connect, that both sides may have the descriptors.
pub(crate) fn has_descriptors_for(clients: usize) -> Result<(), Fault> {
    // A program gets the limit of the harness, or less.
    let limit = descriptor_limit();
    let wanted = clients + BESIDES;
    match limit.filter(|limit| *limit < wanted) {
        None => Ok(()),
        Some(limit) => Err(too_few_descriptors(clients, wanted, limit)),
    }
}

fn too_few_descriptors(clients: usize, wanted: usize, limit: usize) -> Fault {
    Fault(format!(
        "{clients} clients need {wanted} descriptors, and a process may have {limit} here: \
         raise `ulimit -n`"
    ))
}

/// Explains a failure of a program with this many tasks by a limit on tasks that is nearly reached.
pub(crate) fn has_room_for_tasks(tasks: usize) -> Result<(), Fault> {
    match task_limits(Some(tasks as u64)).into_iter().find(Limit::is_nearly_reached) {
        None => Ok(()),
        Some(Limit { most, now, way_out }) => Err(Fault(format!(
            "this machine allows {most} processes and threads, and there are {now}: {way_out}"
        ))),
    }
}

/// Checks, after a failure, that the machine has left what right programs need and what others may
/// have used up: process ids, and epoll watches, which the kernel counts for each user.
pub(crate) fn has_enough_left() -> Result<(), Fault> {
    match process_ids().filter(Limit::is_nearly_reached) {
        None => has_epoll_watches(),
        Some(Limit { most, now, way_out }) => Err(Fault(format!(
            "this machine has {most} process ids, and {now} are taken: {way_out}"
        ))),
    }
}

/// Tries whether this user may watch one more descriptor (epoll(7), max_user_watches).
#[cfg(target_os = "linux")]
fn has_epoll_watches() -> Result<(), Fault> {
    use rustix::event::epoll;
    let tried = epoll::create(epoll::CreateFlags::CLOEXEC).and_then(|watch| {
        let (reader, _writer) = rustix::pipe::pipe()?;
        epoll::add(&watch, &reader, epoll::EventData::new_u64(0), epoll::EventFlags::IN)
    });
    match tried {
        Err(rustix::io::Errno::NOSPC) => Err(Fault(
            "this user's epoll watches are used up: end other programs, or raise \
             fs.epoll.max_user_watches"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
fn has_epoll_watches() -> Result<(), Fault> {
    Ok(())
}

/// Returns how many process ids the machine has and how many are taken (proc_sys_kernel(5),
/// proc_loadavg(5)).
#[cfg(target_os = "linux")]
fn process_ids() -> Option<Limit> {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{name}")).ok();
    let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
    let (ids, tasks) = (number("sys/kernel/pid_max")?, number("sys/kernel/threads-max")?);
    let way_out = "end other programs, or raise kernel.pid_max and kernel.threads-max";
    Some(Limit {
        most: ids.min(tasks),
        now: tasks_of(&read("loadavg")?)?,
        way_out: way_out.to_owned(),
    })
}

#[cfg(not(target_os = "linux"))]
fn process_ids() -> Option<Limit> {
    None
}

/// Reads how many tasks there are from a line like `0.20 0.18 0.12 1/80 11206`.
#[cfg(target_os = "linux")]
fn tasks_of(loadavg: &str) -> Option<u64> {
    loadavg.split_ascii_whitespace().nth(3)?.split_once('/')?.1.parse().ok()
}

/// A limit on processes and threads, and how many there are.
struct Limit {
    most: u64,
    now: u64,
    way_out: String,
}

impl Limit {
    fn is_nearly_reached(&self) -> bool {
        self.now >= self.most / 8 * 7
    }

    #[cfg(unix)]
    fn has_room_for(&self, tasks: u64) -> bool {
        self.now + tasks <= self.most
    }
}

#[cfg(unix)]
fn descriptor_limit() -> Option<usize> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).current.and_then(|limit| limit.try_into().ok())
}

#[cfg(not(unix))]
fn descriptor_limit() -> Option<usize> {
    None
}

/// Returns the limits on tasks of the control groups and of the user. The kernel does not count the
/// tasks of a user in one place: those of the program stand for them, or else they are counted.
#[cfg(target_os = "linux")]
fn task_limits(tasks: Option<u64>) -> Vec<Limit> {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let number = |file: std::path::PathBuf| -> Option<u64> {
        std::fs::read_to_string(file).ok()?.trim().parse().ok()
    };
    let limits = groups(&own).into_iter().filter_map(|folder| {
        let file = folder.join("pids.max");
        let way_out = format!("raise {}", file.display());
        Some(Limit { most: number(file)?, now: number(folder.join("pids.current"))?, way_out })
    });
    let of_user = limit_of_user().map(|(most, way_out)| {
        let now = tasks.unwrap_or_else(|| if most < MANY { tasks_of_this_user() } else { 0 });
        Limit { most, now, way_out }
    });
    limits.chain(of_user).collect()
}

/// Returns the folders of the control groups that limit tasks, from `/proc/self/cgroup`
/// (cgroups(7)): `0::/path` in version 2, `8:pids:/path` in version 1.
#[cfg(target_os = "linux")]
fn groups(own: &str) -> Vec<std::path::PathBuf> {
    let folder = |line: &str| {
        let (_, group) = line.split_once(':')?;
        let (controllers, path) = group.split_once(':')?;
        let root = match controllers {
            "" => "/sys/fs/cgroup",
            "pids" => "/sys/fs/cgroup/pids",
            _ => return None,
        };
        Some((std::path::PathBuf::from(root), path.trim_start_matches('/').to_owned()))
    };
    let own = own.lines().filter_map(folder);
    let all = own.flat_map(|(root, path)| {
        let above = std::path::Path::new(&path).ancestors();
        above.map(|folder| root.join(folder)).collect::<Vec<_>>()
    });
    all.collect()
}

/// Returns the limit on tasks of this user. It does not bind root (getrlimit(2), RLIMIT_NPROC).
#[cfg(target_os = "linux")]
fn limit_of_user() -> Option<(u64, String)> {
    use rustix::process::{Resource, getrlimit, getuid};
    let limit = getrlimit(Resource::Nproc).current.filter(|_| !getuid().is_root())?;
    Some((limit, "raise `ulimit -u`".to_owned()))
}

/// A user's limit from here on is not reached: counting takes longer than the limit is worth.
#[cfg(target_os = "linux")]
const MANY: u64 = 4096;

#[cfg(not(target_os = "linux"))]
fn task_limits(_tasks: Option<u64>) -> Vec<Limit> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_machines_tasks_are_counted() {
        assert_eq!(tasks_of("0.20 0.18 0.12 1/80 11206\n"), Some(80));
        assert!(process_ids().is_some_and(|ids| ids.now > 1 && ids.now < ids.most));
        assert_eq!(has_enough_left(), Ok(()));
    }

    #[test]
    fn a_few_clients_can_always_be_held() {
        assert_eq!(has_descriptors_for(1), Ok(()));
    }

    #[test]
    fn only_a_limit_that_is_nearly_reached_explains_a_failure() {
        let limit = |most, now| Limit { most, now, way_out: String::new() };
        assert!(limit(400, 390).is_nearly_reached());
        assert!(!limit(400, 33).is_nearly_reached());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_groups_of_both_versions_are_found() {
        let check = |own: &str, expected: &[&str]| {
            let found = groups(own);
            let shown: Vec<_> = found.iter().map(|folder| folder.to_string_lossy()).collect();
            assert_eq!(shown, expected);
        };
        let root = "/sys/fs/cgroup/";
        check("0::/a/b\n", &[&format!("{root}a/b"), &format!("{root}a"), root]);
        let pids = "/sys/fs/cgroup/pids/";
        check("9:cpu:/x\n8:pids:/a\n", &[&format!("{pids}a"), pids]);
    }

    #[test]
    fn too_few_descriptors_are_a_fault_with_its_numbers() {
        assert!(has_descriptors_for(1 << 40).is_err());
        assert_eq!(
            too_few_descriptors(1000, 1064, 256).to_string(),
            "1000 clients need 1064 descriptors, and a process may have 256 here: raise `ulimit -n`"
        );
    }
}
