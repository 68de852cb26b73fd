//! Names what a sandbox is asked for, and what a program gets in it.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What `--confine` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The best tier of this system.
    Auto,
    /// The full tier; otherwise nothing is graded.
    Required,
    /// The Linux tier without namespaces, for comparison and for tests.
    Landlock,
    /// No confinement.
    Off,
}

/// How strongly programs are confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// A private network, private processes and a private file tree; Landlock, seccomp and limits
    /// inside.
    Namespaces,
    /// Landlock, seccomp and limits.
    Landlock,
    /// Programs are ended, and limited where the system can.
    Plain,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Namespaces => "namespaces, with Landlock, seccomp and limits inside",
            Self::Landlock => "Landlock, seccomp and limits, without namespaces",
            Self::Plain => {
                "none: the programs ran with the rights of the user who started the grader"
            }
        })
    }
}

/// What all processes of one program together may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The number of processes and threads.
    pub tasks: u64,
    /// The number of descriptors of each process.
    pub descriptors: u64,
    /// Memory, in bytes; a page that several processes share counts once.
    pub memory: u64,
    /// The bytes that the program may write to files.
    pub disk: u64,
    /// The bytes that the program may print on each of stdout and stderr.
    pub output: u64,
    /// Processor time; `None` for no limit.
    pub processor: Option<Duration>,
}

const MIB: u64 = 1024 * 1024;

impl Limits {
    /// The limits of programs under test.
    pub const RUN: Self = Self {
        tasks: 1500,
        descriptors: 4096,
        memory: 1024 * MIB,
        disk: 64 * MIB,
        output: 256 * MIB,
        processor: None,
    };

    /// The limits of compilers: several times what the largest solution needs.
    pub const BUILD: Self = Self {
        tasks: 1000,
        descriptors: 4096,
        memory: 2048 * MIB,
        disk: 1024 * MIB,
        output: 16 * MIB,
        processor: Some(Duration::from_secs(60)),
    };
}

/// What a program may reach besides the system's programs and libraries, and a small private
/// folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Files and whole folders that the program may read.
    pub read: Vec<PathBuf>,
    /// Folders that the program may write to. Only compilers have any.
    pub write: Vec<PathBuf>,
    /// Files that the program may execute; `None` for everything that it may read.
    pub execute: Option<Vec<PathBuf>>,
    /// The program's environment besides PATH, HOME, TMPDIR, LANG and RUST_BACKTRACE.
    pub environment: Vec<(OsString, OsString)>,
    /// What the program may use.
    pub limits: Limits,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            read: Vec::new(),
            write: Vec::new(),
            execute: None,
            environment: Vec::new(),
            limits: Limits::RUN,
        }
    }
}

/// A program's standard input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stdin {
    /// The bytes that it reads first.
    pub(crate) bytes: Vec<u8>,
    /// Whether it then reads the end of the input; otherwise the pipe stays open and silent.
    pub(crate) then_end: bool,
}

/// A command to start, and how it is confined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JailedCommand {
    pub(crate) command: Vec<OsString>,
    pub(crate) stdin: Stdin,
    pub(crate) jail: Jail,
}

/// The confinement of one program.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(unix), allow(dead_code, reason = "only a launcher confines"))]
pub(crate) struct Jail {
    pub(crate) tier: Tier,
    pub(crate) reach: Reach,
    /// The network namespace to join.
    pub(crate) network: Option<PathBuf>,
    /// The user namespace to join.
    pub(crate) users: Option<PathBuf>,
    /// The control group to enter.
    pub(crate) group: Option<Group>,
    /// TCP ports that the program may connect to where it shares the machine's network.
    pub(crate) ports: Vec<u16>,
    /// Folders among the system's that no program may see.
    pub(crate) hidden: Vec<PathBuf>,
    /// Protections that are left out.
    pub(crate) without: Vec<String>,
    /// The targets of the self-test, which then runs in the program's place.
    pub(crate) self_test: Option<Targets>,
}

impl Jail {
    /// Whether this protection is in force.
    #[cfg(unix)]
    pub(crate) fn has(&self, protection: &str) -> bool {
        !self.without.iter().any(|name| name == protection)
    }

    /// Whether the program shares the machine's network.
    #[cfg(target_os = "linux")]
    pub(crate) fn shares_the_network(&self) -> bool {
        self.tier != Tier::Namespaces || self.network.is_none()
    }
}

/// The control group of one launch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux has control groups"))]
pub(crate) struct Group {
    pub(crate) version: Version,
    /// Its folder in each hierarchy. The first one limits memory, the last one tasks.
    pub(crate) folders: Vec<PathBuf>,
}

/// The two interfaces of control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux has control groups"))]
pub(crate) enum Version {
    /// A hierarchy for each controller (the kernel's `cgroup-v1` documents).
    One,
    /// One hierarchy for all (the kernel's `cgroup-v2.rst`).
    Two,
}

/// What the self-test tries to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux has a self-test"))]
pub(crate) struct Targets {
    /// A port on which the harness listens.
    pub(crate) port: u16,
    /// Whether the harness is root and programs run as another user.
    pub(crate) another_user: bool,
    /// The process id of the harness.
    pub(crate) harness: i32,
    /// Files of the harness and of the course.
    pub(crate) secrets: Vec<PathBuf>,
}

/// A protection, and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Protection {
    /// Its name in reports.
    pub(super) name: &'static str,
    /// Why it does not hold; `None` where it was verified.
    pub(super) missing: Option<String>,
}
