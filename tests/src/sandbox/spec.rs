//! What may be asked of a sandbox, and what a program gets in one.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What was asked for (CONTRACT §2, `--confine`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The best tier that this system has.
    Auto,
    /// The full tier, or nothing is graded.
    Required,
    /// The Linux tier without namespaces, for comparison and for tests.
    Landlock,
    /// None.
    Off,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// A network, processes and a file tree of its own; Landlock, seccomp and limits inside.
    Namespaces,
    /// Landlock, seccomp and limits.
    Landlock,
    /// A certain end, and limits where the system has them.
    Plain,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Namespaces => "namespaces, with Landlock, seccomp and limits inside",
            Self::Landlock => "Landlock, seccomp and limits, without namespaces",
            Self::Plain => "none: the programs ran with the rights of whoever started the grader",
        })
    }
}

/// What a program, all of its processes together, may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Processes and threads.
    pub tasks: u64,
    /// Descriptors of one process.
    pub descriptors: u64,
    /// Resident memory, in bytes; pages that its processes share count once.
    pub memory: u64,
    /// What it may write to files, in bytes.
    pub disk: u64,
    /// What it may print on each of stdout and stderr, in bytes.
    pub output: u64,
    /// Processor time, where that is limited.
    pub processor: Option<Duration>,
}

const MIB: u64 = 1024 * 1024;

impl Limits {
    /// For programs under test (CONTRACT §1, limits).
    pub const RUN: Self = Self {
        tasks: 1500,
        descriptors: 4096,
        memory: 1024 * MIB,
        disk: 64 * MIB,
        output: 256 * MIB,
        processor: None,
    };

    /// For compilers: several times what the largest solution needs.
    pub const BUILD: Self = Self {
        tasks: 1000,
        descriptors: 4096,
        memory: 2048 * MIB,
        disk: 1024 * MIB,
        output: 16 * MIB,
        processor: Some(Duration::from_secs(60)),
    };
}

/// What a program may reach besides the system's own programs and libraries, and a small folder of
/// its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Files and folders that it may read, whole.
    pub read: Vec<PathBuf>,
    /// Folders that it may write to: compilers only.
    pub write: Vec<PathBuf>,
    /// What it may execute; whatever it may read where there is none.
    pub execute: Option<Vec<PathBuf>>,
    /// What its environment holds besides PATH, HOME, TMPDIR, LANG and RUST_BACKTRACE.
    pub environment: Vec<(OsString, OsString)>,
    /// What it may use.
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

/// What a program finds on its standard input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stdin {
    /// These bytes …
    pub(crate) bytes: Vec<u8>,
    /// … and then an end, or an open pipe on which nothing more comes.
    pub(crate) then_end: bool,
}

/// What is started, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Launch {
    pub(crate) command: Vec<OsString>,
    pub(crate) stdin: Stdin,
    pub(crate) jail: Jail,
}

/// How one program is confined.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(unix), allow(dead_code, reason = "only a launcher confines"))]
pub(crate) struct Jail {
    pub(crate) tier: Tier,
    pub(crate) reach: Reach,
    /// The network namespace to join.
    pub(crate) network: Option<PathBuf>,
    /// The user namespace to join.
    pub(crate) users: Option<PathBuf>,
    /// TCP ports that it may connect to where it shares the machine's network.
    pub(crate) ports: Vec<u16>,
    /// Protections to leave out.
    pub(crate) without: Vec<String>,
    /// Instead of the program the self-test runs, and this is what it should try to reach.
    pub(crate) self_test: Option<Targets>,
}

impl Jail {
    /// Whether this protection is part of it.
    #[cfg(unix)]
    pub(crate) fn has(&self, protection: &str) -> bool {
        !self.without.iter().any(|name| name == protection)
    }
}

/// What no program may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux has a self-test"))]
pub(crate) struct Targets {
    /// A port on which the harness listens.
    pub(crate) port: u16,
    /// The harness's process id.
    pub(crate) harness: i32,
    /// A file of the harness's.
    pub(crate) secret: PathBuf,
}

/// A protection of which the self-test knows whether it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Protection {
    /// What is protected, in a few words.
    pub(super) name: String,
    /// Why it is not in force; nothing where it was seen to be.
    pub(super) missing: Option<String>,
}
