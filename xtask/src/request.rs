//! The requests: one struct for each command that takes options.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use suite::{Budget, Subject, Wanted};

/// `grade`: everything that changes a grade or its report.
#[derive(Debug, Clone)]
pub(crate) struct GradeRequest {
    pub(crate) practical: String,
    pub(crate) origin: Origin,
    /// Programs that a command line runs, which are not built.
    pub(crate) programs: Vec<ProgramCommand>,
    /// Programs that were built before, as `verify` does.
    pub(crate) ready: Vec<ReadyProgram>,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) only: Vec<String>,
    pub(crate) reports: Vec<Report>,
    pub(crate) hint: usize,
    /// The report on a terminal shows every check, too.
    pub(crate) all: bool,
    /// Reports show what hidden checks saw, too.
    pub(crate) show_hidden: bool,
    pub(crate) seed: u64,
    pub(crate) jobs: usize,
    /// The time for everything that is done about the submission.
    pub(crate) budget: Duration,
    pub(crate) confine: Wanted,
}

/// Whose programs are graded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The student's, in the practical's own folder.
    Practical,
    /// The reference solution.
    Solution,
    /// Another folder, checkout or archive.
    Submission(PathBuf),
}

/// `--program NAME=COMMAND`.
#[derive(Debug, Clone)]
pub(crate) struct ProgramCommand {
    pub(crate) name: String,
    pub(crate) words: Vec<String>,
    /// The command as it was typed.
    pub(crate) text: String,
    /// The address that it always uses, if it takes none.
    pub(crate) address: Option<SocketAddr>,
}

impl ProgramCommand {
    pub(crate) fn takes_port(&self) -> bool {
        self.words.iter().any(|word| word.contains("{port}"))
    }
}

/// A program that was built before.
#[derive(Debug, Clone)]
pub(crate) struct ReadyProgram {
    pub(crate) name: String,
    pub(crate) subject: Arc<Subject>,
}

/// `--report FORMAT[=FILE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) format: String,
    pub(crate) file: Option<PathBuf>,
}

/// `verify`.
#[derive(Debug)]
pub(crate) struct VerifyRequest {
    pub(crate) practical: Option<String>,
    /// The number of gradings of each right program, beside busy loops.
    pub(crate) soak: Option<usize>,
    /// The number of gradings at the same time.
    pub(crate) jobs: usize,
    /// Grades hostile submissions instead of the catalogue.
    pub(crate) attacks: bool,
    /// Only these rows of the catalogue or of the attacks.
    pub(crate) only: Vec<String>,
    /// Overwrites the golden files.
    pub(crate) renew_evidence: bool,
    pub(crate) seed: u64,
}

/// `explain`.
#[derive(Debug, Default)]
pub(crate) struct ExplainRequest {
    /// The practical that the word belongs to.
    pub(crate) practical: Option<String>,
    /// A check or a mistake; without a word, all mistakes.
    pub(crate) word: Option<String>,
}

/// `bench`.
#[derive(Debug)]
pub(crate) struct BenchRequest {
    pub(crate) practical: String,
    pub(crate) runs: usize,
}

/// `release`.
#[derive(Debug)]
pub(crate) struct ReleaseRequest {
    pub(crate) folder: PathBuf,
    /// Removes what is in the folder.
    pub(crate) replace: bool,
}

impl GradeRequest {
    /// Returns a request to grade everything, with the default options.
    pub(crate) fn of(practical: &str, origin: Origin, seed: u64) -> Self {
        Self {
            practical: practical.to_owned(),
            origin,
            programs: Vec::new(),
            ready: Vec::new(),
            address: None,
            only: Vec::new(),
            reports: Vec::new(),
            hint: 1,
            all: false,
            show_hidden: false,
            seed,
            jobs: usize::MAX,
            budget: Budget::USUAL,
            confine: Wanted::Auto,
        }
    }
}
