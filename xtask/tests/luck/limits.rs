//! Limits of the machine that are too low for a grading.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Comes, Place, after, attempts, is_root};

#[track_caller]
fn check(limit: &str, says: &'static str) {
    let place = Place::new();
    let output = after(limit, &place.grading("")).output().unwrap();
    place.check(&output, Comes::Fault(says));
}

#[test]
fn no_descriptors() {
    for attempt in attempts("no_descriptors") {
        let limit = [8, 16, 32, 64][attempt as usize % 4];
        check(&format!("ulimit -n {limit}"), "raise `ulimit -n`");
    }
}

#[test]
fn no_memory() {
    for attempt in attempts("no_memory") {
        let mebibytes = [32, 128, 512, 1024][attempt as usize % 4];
        let what = ["v", "d"][attempt as usize / 4 % 2];
        let way_out = ["raise `ulimit -v`", "raise `ulimit -d`"][attempt as usize / 4 % 2];
        check(&format!("ulimit -{what} {}", mebibytes * 1024), way_out);
    }
}

#[test]
fn no_processor_time() {
    for _ in attempts("no_processor_time") {
        check("ulimit -t 2", "raise `ulimit -t`");
    }
}

#[test]
fn no_large_files() {
    for _ in attempts("no_large_files") {
        check("ulimit -f 100", "raise `ulimit -f`");
    }
}

/// A soft limit that may be raised is none.
#[test]
fn low_soft_limits() {
    for _ in attempts("low_soft_limits") {
        let place = Place::new();
        let script = "ulimit -S -n 32; ulimit -S -v 2000000; ulimit -S -t 1";
        let output = after(script, &place.grading("")).output().unwrap();
        place.check(&output, Comes::FullMarks);
    }
}

#[test]
fn no_processes() {
    for attempt in attempts("no_processes") {
        let most = [2, 8, 32, 64][attempt as usize % 4];
        if !is_root() {
            check(&format!("prlimit --pid $$ --nproc={most}"), "processes and threads");
            continue;
        }
        let Some(group) = Group::new(most) else { return };
        let join = format!("echo $$ >{}/cgroup.procs", group.0.display());
        check(&join, "processes and threads");
    }
}

/// A control group with at most so many tasks; root's processes have no other limit.
struct Group(PathBuf);

impl Group {
    fn new(most: u32) -> Option<Self> {
        let version_1 = Path::new("/sys/fs/cgroup/pids");
        let root = if version_1.is_dir() { version_1 } else { Path::new("/sys/fs/cgroup") };
        let folder = root.join(format!("luck-{}", std::process::id()));
        fs::create_dir(&folder).ok()?;
        let group = Self(folder);
        if fs::write(group.0.join("pids.max"), most.to_string()).is_err() {
            println!("skipped: no control group limits processes here");
            return None;
        }
        Some(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        crate::soon("the control group stays", || fs::remove_dir(&self.0).is_ok());
    }
}
