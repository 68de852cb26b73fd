//! What comes of a check, and of a run of checks: values only.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::engine::compare::Difference;
use crate::engine::evidence::Clues;
use crate::engine::transcript::Event;
use crate::fault::Fault;
use crate::observe::Whereabouts;

/// What a check's function returns.
pub type Outcome = Result<(), Stop>;

/// Why a check did not hold.
#[derive(Debug)]
pub enum Stop {
    /// The student's program did something else.
    Failed(Failure),
    /// This system does not show what the check asks for.
    Unseen(String),
    /// The harness could not find out.
    Fault(Fault),
}

/// A student's mistake, as it showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// What the contract asks for.
    pub expected: String,
    /// What was there instead.
    pub observed: String,
    /// The smallest number of bytes that breaks the program, where that was looked for.
    pub smallest_failing_input: Option<usize>,
    /// The smallest conversation that breaks the program, in a sentence: "1024 bytes come back,
    /// 1025 do not".
    pub smallest: Option<String>,
    /// Where the bytes that came part from those that should have come, where bytes were compared.
    pub difference: Option<Box<Difference>>,
    /// The peer that it is about, by its name in the transcript, where it is about one.
    pub peer: Option<String>,
}

impl Failure {
    pub(crate) fn new(expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self { expected: expected.into(), observed: observed.into(), ..Self::default() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, got {}", self.expected, self.observed)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// The program did what it should.
    Passed,
    /// It did not.
    Failed(Failure),
    /// This check, which must pass first, did not.
    Skipped(String),
    /// This system does not show what the check asks for; why.
    Unseen(String),
    /// The program could not be built.
    Unbuilt,
    /// The harness could not find out.
    Fault(Fault),
}

/// A check's result with its evidence.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The check's id.
    pub check: &'static str,
    /// What came of it.
    pub status: Status,
    /// How long it took.
    pub took: Duration,
    /// When the transcript began; `None` where the check was not run.
    pub began: Option<SystemTime>,
    /// What went over the wire.
    pub transcript: Vec<Event>,
    /// The end of what the program said on standard error.
    pub stderr_tail: Vec<u8>,
    /// How a program ended that should have gone on.
    pub ended: Option<String>,
    /// What the programs did when a check gave up a wait for one of them; `None` where it gave up
    /// none.
    pub blocked: Option<Blocked>,
    /// What tells the mistakes apart, for [`diagnose`].
    pub clues: Clues,
}

/// What the programs of a check did when the check gave up a wait for one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// This is what they did, one entry for each program that lives.
    At(Vec<Whereabouts>),
    /// This system does not show it: [`CANNOT_SEE`](crate::CANNOT_SEE).
    CannotSee,
}

impl Verdict {
    /// A verdict without evidence.
    pub fn new(check: &'static str, status: Status) -> Self {
        Self {
            check,
            status,
            took: Duration::ZERO,
            began: None,
            transcript: Vec::new(),
            stderr_tail: Vec::new(),
            ended: None,
            blocked: None,
            clues: Clues::default(),
        }
    }
}

/// A mistake that explains what was seen, over all checks of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Its key in the catalogue (CONTRACT §6).
    pub mistake: &'static str,
    /// One sentence of evidence: what was seen, with its figures.
    pub because: String,
    /// The failed checks that it explains, in the order of the report.
    pub checks: Vec<&'static str>,
}
