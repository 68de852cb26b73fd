//! The memory that the machine, or a container, allows this process and all that it starts.
//!
//! Where that is little, a program may use less than its limit says: the kernel would otherwise end
//! any process of the container, a right program among them.

use std::path::{Path, PathBuf};

/// What a control group allows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// The limit, in bytes.
    pub(crate) memory: u64,
    /// The file that says so.
    pub(crate) file: PathBuf,
}

/// Returns the lowest limit of the control groups above this process (cgroups(7)). Without one there
/// is no limit but the machine's memory.
pub(crate) fn allowance() -> Option<Allowance> {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limit = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).ok()?;
        Some(Allowance { memory: text.trim().parse().ok()?, file })
    };
    limits_of(&own).into_iter().filter_map(limit).min_by_key(|allowance| allowance.memory)
}

/// Returns the part of a limit that one launch may use where the machine allows this much: the rest
/// is for the harness, and for what runs beside it.
pub(super) fn part(limit: u64, allowance: Option<&Allowance>) -> u64 {
    allowance.map_or(limit, |allowance| limit.min(allowance.memory / 4 * 3))
}

/// Returns the files with the limits, from `/proc/self/cgroup`: `0::/path` in version 2, and
/// `9:memory:/path` in version 1. A container shows its own group as the first one.
fn limits_of(own: &str) -> Vec<PathBuf> {
    let all = own.lines().filter_map(limit_of).flat_map(|(root, path, name)| {
        let path = Path::new(path.trim_start_matches('/'));
        path.ancestors().map(move |group| Path::new(root).join(group).join(name))
    });
    all.collect()
}

/// Returns the root of a hierarchy, a group in it, and the name of the file with its limit.
fn limit_of(line: &str) -> Option<(&str, &str, &str)> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    match controllers {
        "" => Some(("/sys/fs/cgroup", path, "memory.max")),
        "memory" => Some(("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(own: &str, expected: &[&str]) {
        assert_eq!(limits_of(own), expected.iter().map(PathBuf::from).collect::<Vec<_>>());
    }

    #[test]
    fn the_limits_of_all_groups_above_count_in_both_versions() {
        let two = ["/sys/fs/cgroup/a/memory.max", "/sys/fs/cgroup/memory.max"];
        check("0::/a\n", &two);
        let one = "/sys/fs/cgroup/memory";
        let limit = |group: &str| format!("{one}/{group}memory.limit_in_bytes");
        check("9:cpu:/x\n8:memory:/a\n", &[&limit("a/"), &limit("")]);
    }

    #[test]
    fn a_launch_leaves_a_part_to_the_harness() {
        let allowance = |memory| Allowance { memory, file: PathBuf::new() };
        assert_eq!(part(1000, None), 1000);
        assert_eq!(part(1000, Some(&allowance(4000))), 1000);
        assert_eq!(part(1000, Some(&allowance(800))), 600);
    }
}
