//! The checks of the socket practicals, and what they stand on.
//!
//! A practical is a list of [`Check`]s. [`run`] gives each check fresh processes of the student's
//! programs, talks to them over TCP and returns a [`Verdict`] for each, with its evidence. This
//! crate builds nothing, knows no points and prints nothing.
//!
//! Three things may come of a check, and they never meet: the program did what it should; it did
//! not, which is a [`Failure`], a value; or the harness could not find out, which is a [`Fault`],
//! an error of ours.

mod bench;
mod compare;
mod confine;
mod diagnose;
mod echo_client;
mod echo_server;
mod errand;
mod evidence;
mod framed_client;
mod framed_server;
mod kernel;
#[cfg(unix)]
mod launcher;
mod multiconn_client;
mod multiconn_server;
mod patience;
mod payload;
mod peer;
mod port;
mod program;
mod run;
mod shrink;
mod transcript;

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, SystemTime};

pub use bench::ENDED_FOR;
pub use compare::{Deviation, Difference};
pub use confine::{Confinement, Limits, Protection, Reach, Tier, WITHOUT, Wanted};
pub use errand::{Errands, Finished};
pub use evidence::Clues;
pub use kernel::{CANNOT_SEE, Stuck};
pub use patience::GaveUp;
pub use peer::Ending;
pub use program::{CommandLine, Program, Subject};
pub use run::{Planned, Scratch, Settings, run};
pub use transcript::{Event, What, show};

/// Every practical, in the order of the course.
pub const PRACTICALS: &[Practical] = &[
    Practical {
        name: "echo",
        programs: &["echo_server", "echo_client"],
        checks: &[echo_server::CHECKS, echo_client::CHECKS],
        rules: &[echo_server::mistakes::RULES, echo_client::mistakes::RULES],
    },
    Practical {
        name: "multiconn",
        programs: &["multiconn_server", "multiconn_client"],
        checks: &[&multiconn_server::AS_ECHO, multiconn_server::CHECKS, multiconn_client::CHECKS],
        rules: &[
            multiconn_server::mistakes::RULES,
            echo_server::mistakes::RULES,
            multiconn_client::mistakes::RULES,
        ],
    },
    Practical {
        name: "framing",
        programs: &["framed_server", "framed_client"],
        checks: &[framed_server::CHECKS, framed_client::CHECKS],
        rules: &[framed_server::mistakes::RULES, framed_client::mistakes::RULES],
    },
];

/// Something that students hand in, and what is checked of it.
#[derive(Debug)]
pub struct Practical {
    /// Its folder's name, and its name in commands.
    pub name: &'static str,
    /// The programs that it consists of.
    pub programs: &'static [&'static str],
    checks: &'static [&'static [Check]],
    /// What names its mistakes; a later list names what those before it leave unexplained.
    rules: &'static [&'static [diagnose::Rule]],
}

impl Practical {
    /// Its checks, in the order of the report.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> {
        self.checks.iter().copied().flatten()
    }

    /// The mistakes that can be named, each once.
    pub fn mistakes(&self) -> BTreeSet<&'static str> {
        self.rules.iter().copied().flatten().map(|rule| rule.mistake).collect()
    }
}

/// The practical of this name.
pub fn practical(name: &str) -> Option<&'static Practical> {
    PRACTICALS.iter().find(|practical| practical.name == name)
}

/// One check: a function whose name is its id.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its key in the rubric and in every report.
    pub id: &'static str,
    /// What it belongs to.
    pub group: &'static str,
    /// The programs that it runs; the first is the one it is about.
    pub programs: &'static [&'static str],
    body: Body,
}

impl Check {
    /// The checks of one practical's program, for the program of another that does all of it too:
    /// the same functions under the same ids.
    pub(crate) const fn of_another_program<const N: usize>(
        checks: &[Self],
        programs: &'static [&'static str],
    ) -> [Self; N] {
        let mut same = [checks[0]; N];
        let mut at = 0;
        while at < N {
            same[at] = Self { programs, ..checks[at] };
            at += 1;
        }
        same
    }
}

/// What a check is given.
#[derive(Debug, Clone, Copy)]
enum Body {
    One(fn(&Program) -> Outcome),
    Two(fn(&Program, &Program) -> Outcome),
}

/// A row of a register of checks: `check!(group, id, programs…)`.
macro_rules! check {
    ($group:ident, $id:ident, $program:ident) => {
        $crate::Check {
            id: stringify!($id),
            group: stringify!($group),
            programs: &[stringify!($program)],
            body: $crate::Body::One($id),
        }
    };
    ($group:ident, $id:ident, $first:ident, $second:ident) => {
        $crate::Check {
            id: stringify!($id),
            group: stringify!($group),
            programs: &[stringify!($first), stringify!($second)],
            body: $crate::Body::Two($id),
        }
    };
}
pub(crate) use check;

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

/// A mistake of the harness's own, or of the machine's: it costs nobody a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
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
    /// What the program was blocked in when a wait for it ended in vain, in a sentence; `None`
    /// where no wait did, or where the system does not show it.
    pub blocked_in: Option<String>,
    /// What tells the mistakes apart, for [`diagnose`].
    pub clues: Clues,
    /// The facts that `blocked_in` tells.
    pub stuck: Option<Stuck>,
    /// A wait ended in vain, and [`CANNOT_SEE`] is why there is nothing to tell of it.
    pub stuck_unseen: bool,
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
            blocked_in: None,
            clues: Clues::default(),
            stuck: None,
            stuck_unseen: false,
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

/// The mistakes that explain what was seen over all checks of a run: at most one for each root
/// cause, and none where two explanations remain.
pub fn diagnose(practical: &Practical, verdicts: &[Verdict]) -> Vec<Diagnosis> {
    diagnose::by(practical.rules, verdicts)
}

/// What [`diagnose`] would name had less been found out: for each clue that is left out, for each
/// check that is, and for each check alone. Less evidence may cost a name and never makes another
/// one: this is how to prove that of a program whose mistakes are known. Each result has what is
/// known of in words.
pub fn diagnose_with_less(
    practical: &Practical,
    verdicts: &[Verdict],
) -> Vec<(String, Vec<Diagnosis>)> {
    diagnose::with_less(practical.rules, verdicts)
}

/// Runs as the launcher of a program if this process was started as one, and returns its exit
/// status then. Call it before anything else in an executable that calls [`run`].
pub fn enter_launcher() -> Option<std::process::ExitCode> {
    #[cfg(unix)]
    return launcher::enter();
    #[cfg(not(unix))]
    None
}
