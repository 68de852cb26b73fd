//! The checks of the socket practicals, and what they stand on.
//!
//! A practical is a list of [`Check`]s. [`run`] gives each check fresh processes of the student's
//! programs, talks to them over TCP and returns a [`Verdict`] for each, with its evidence. This
//! crate builds nothing, knows no points and prints nothing.
//!
//! Three things may come of a check, and they never meet: the program did what it should; it did
//! not, which is a [`Failure`], a value; or the harness could not find out, which is a [`Fault`],
//! an error of ours.

mod engine;
mod fault;
mod hash;
mod observe;
mod practicals;
mod sandbox;

pub use engine::bench::ENDED_FOR;
pub use engine::check::{Check, Practical};
pub use engine::compare::{Deviation, Difference};
pub use engine::diagnose::{diagnose, diagnose_with_less};
pub use engine::evidence::Clues;
pub use engine::patience::GaveUp;
pub use engine::peer::Ending;
pub use engine::program::{CommandLine, Program, Subject};
pub use engine::run::{Planned, Scratch, Settings, run};
pub use engine::transcript::{Event, What, show};
pub use engine::verdict::{Diagnosis, Failure, Outcome, Status, Stop, Verdict};
pub use fault::Fault;
pub use hash::Fnv;
pub use observe::{CANNOT_SEE, Stuck};
pub use practicals::PRACTICALS;
pub use sandbox::errand::{Errands, Finished};
pub use sandbox::{Confinement, Limits, Protection, Reach, Tier, WITHOUT, Wanted};

/// The practical of this name.
pub fn practical(name: &str) -> Option<&'static Practical> {
    PRACTICALS.iter().copied().find(|practical| practical.name == name)
}

/// Runs as the launcher of a program if this process was started as one, and returns its exit
/// status then. Call it before anything else in an executable that calls [`run`].
pub fn enter_launcher() -> Option<std::process::ExitCode> {
    #[cfg(unix)]
    return sandbox::launcher::enter();
    #[cfg(not(unix))]
    None
}
