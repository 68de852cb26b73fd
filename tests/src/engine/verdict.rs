//! What comes of a check, and of a run of checks: values only.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::engine::difference::Difference;
use crate::engine::facts::{Fact, Facts};
use crate::engine::snapshot::{Blocked, Snapshot};
use crate::engine::transcript::Event;
use crate::engine::unwritten::Unwritten;
use crate::fault::Fault;

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

/// A student's mistake, as the check saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// What the contract asks for.
    pub expected: String,
    /// What was there instead.
    pub observed: String,
    /// The smallest number of bytes that breaks the program, where that was looked for.
    pub smallest_failing_input: Option<usize>,
    /// The smallest conversation that breaks the program, in words that follow the label
    /// "smallest": "failing case: two 1-byte messages on one connection".
    pub smallest: Option<String>,
    /// Where the bytes that came part from those that should have come, where bytes were compared.
    pub difference: Option<Box<Difference>>,
    /// The peer that it is about, by its name in the transcript, where it is about one.
    pub peer: Option<String>,
    /// Where the programs were when the wait timed out that this failure is about.
    pub snapshot: Option<Arc<Snapshot>>,
    /// What the rules know about the program.
    pub facts: Facts,
    /// A peer saw what may be the first sign of the program's end.
    pub may_be_dying: bool,
    /// Whether the harness takes its cause out of all later conversations, so that the checks that
    /// need this one can find out what they are about.
    pub is_set_apart: bool,
    /// Whether it is only about the time for the whole submission.
    pub is_out_of_time: bool,
    /// What keeps other checks from finding out more.
    pub bar: Option<Box<Bar>>,
}

/// A failure that other checks of the same program would only repeat: they wait for the first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// The program's name.
    pub program: String,
    /// Whether the program never gets so far as to listen or to connect.
    pub from_the_start: bool,
    /// The step that is not written yet, where that is the reason.
    pub unwritten: Option<Unwritten>,
}

impl Failure {
    pub(crate) fn new(expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self { expected: expected.into(), observed: observed.into(), ..Self::default() }
    }

    /// Makes the failure of a check that was not done within the time for the submission; `when`
    /// says how far it got.
    pub(crate) fn out_of_time(time: Duration, when: &str) -> Self {
        let time = time.as_secs();
        let expected =
            format!("all checks of the submission to be done within {time} s, its build included");
        let observed = format!("out of time: {time} s had passed before this check {when}");
        Self { is_out_of_time: true, ..Self::new(expected, observed) }
    }

    /// Adds a fact for the rules.
    pub(crate) fn with(mut self, fact: impl Fact) -> Self {
        self.facts.push(fact);
        self
    }

    /// Adds where the programs were, where a wait for one of them timed out.
    pub(crate) fn at(self, snapshot: Option<Arc<Snapshot>>) -> Self {
        Self { snapshot: snapshot.or(self.snapshot), ..self }
    }

    /// Marks the failure as one that a dying program would cause, too.
    pub(crate) fn maybe_of_a_death(self) -> Self {
        Self { may_be_dying: true, ..self }
    }

    /// Marks the failure as one whose cause the harness takes out of all later conversations.
    pub(crate) fn set_apart(self) -> Self {
        Self { is_set_apart: true, ..self }
    }

    /// Turns the failure into one of a step that is not written yet. No mistake follows from it.
    pub(crate) fn not_written(self, program: String, step: Unwritten) -> Self {
        let from_the_start = self.bar.is_some_and(|bar| bar.from_the_start);
        let bar = Some(Box::new(Bar { program, from_the_start, unwritten: Some(step) }));
        Self { bar, facts: Facts::default(), snapshot: None, ..self }
    }

    /// Returns the step that is not written yet, where that is the reason.
    pub fn unwritten(&self) -> Option<&Unwritten> {
        self.bar.as_ref()?.unwritten.as_ref()
    }

    /// Adds what happened before.
    pub(crate) fn after(self, what: &str) -> Self {
        Self { expected: format!("{}, after {what}", self.expected), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, got {}", self.expected, self.observed)
    }
}

impl Stop {
    /// Returns the failure, if the program failed.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// Changes the failure; any other reason to stop stays as it is.
    pub(crate) fn map(self, change: impl FnOnce(Failure) -> Failure) -> Self {
        match self {
            Self::Failed(failure) => Self::Failed(change(failure)),
            other => other,
        }
    }

    /// Adds to a failure what happened before it.
    pub(crate) fn after(self, what: &str) -> Self {
        self.map(|failure| failure.after(what))
    }

    /// Adds a fact to a failure.
    pub(crate) fn with(self, fact: impl Fact) -> Self {
        self.map(|failure| failure.with(fact))
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
    /// The limit for which the harness ended a program.
    pub over: Option<String>,
    /// The calls that the confinement has refused, each once.
    pub refused: Vec<String>,
    /// The end of what the program printed on standard output.
    pub stdout_tail: Vec<u8>,
    /// Where the programs were when the wait timed out that the failure is about.
    pub blocked: Option<Blocked>,
}

impl Verdict {
    /// Makes a verdict without evidence.
    pub fn new(check: &'static str, status: Status) -> Self {
        Self {
            check,
            status,
            took: Duration::ZERO,
            began: None,
            transcript: Vec::new(),
            stderr_tail: Vec::new(),
            stdout_tail: Vec::new(),
            ended: None,
            over: None,
            refused: Vec::new(),
            blocked: None,
        }
    }

    /// Returns whether the check waits for another one.
    pub(crate) fn was_not_run(&self) -> bool {
        matches!(self.status, Status::Skipped(_))
    }

    /// Returns the failure, if the check failed.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.status {
            Status::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

/// A mistake that explains what was seen, over all checks of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Its key in the catalogue.
    pub mistake: &'static str,
    /// One sentence of evidence: what was seen, with its figures.
    pub because: String,
    /// The failed checks that it explains, in the order of the report.
    pub checks: Vec<&'static str>,
}
