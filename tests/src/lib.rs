//! The checks of the socket practicals, and what they stand on.
//!
//! A practical is a list of [`Check`]s. [`run`] gives each check fresh processes of the student's
//! programs, talks to them over TCP and returns a [`Verdict`] for each, with its evidence. This
//! crate builds nothing, knows no points and prints nothing.
//!
//! Three things may come of a check, and they never meet: the program did what it should; it did
//! not, which is a [`Failure`], a value; or the harness could not find out, which is a [`Fault`],
//! an error of the harness.
//!
//! # The map
//!
//! A module names only modules below it; a test of xtask's, `layers`, reads that from the code.
//!
//! ```text
//! practicals           a folder for each: its checks, facts and rules; none names another
//! practicals::shared   moves of any server and any client, which take a Dialogue
//! engine               drives programs from outside and keeps the evidence; names no practical
//! sandbox              what a program may reach, its launcher, and its certain end
//! observe              what the operating system knows of a program; only Linux shows all of it
//! hash, fault          the one hash; the harness's own errors
//! ```

mod engine;
mod fault;
mod hash;
mod observe;
mod practicals;
mod sandbox;

pub use engine::budget::Budget;
pub use engine::check::{Check, Practical};
pub use engine::difference::{Deviation, Difference};
pub use engine::facts::Facts;
pub use engine::judge::Settings;
pub use engine::machine::check_machine;
pub use engine::program::Program;
pub use engine::received::Ending;
pub use engine::round::Planned;
pub use engine::run::run;
pub use engine::scratch::{Scratch, remove_scratch};
pub use engine::snapshot::{Blocked, Snapshot};
pub use engine::subject::{CommandLine, Subject};
pub use engine::transcript::{Event, EventKind, show};
pub use engine::unwritten::Unwritten;
pub use engine::verdict::{Bar, Diagnosis, Failure, Outcome, Status, Stop, Verdict};
pub use engine::wait::GaveUp;
pub use fault::Fault;
pub use hash::Fnv;
pub use observe::{
    CANNOT_SEE, ConnectionState, PendingClient, ProgramState, Role, SystemCall, ThreadState,
    WaitsFor,
};
pub use practicals::PRACTICALS;
pub use sandbox::{
    Commands, Confinement, Finished, Folder, Left, Limits, Reach, Surroundings, Tier, Wanted,
    may_execute_in, remove_folder, without_settings,
};
#[cfg(unix)]
pub use sandbox::{end_all_programs, on_ending_signal};

/// The practical of this name.
pub fn practical(name: &str) -> Option<&'static Practical> {
    PRACTICALS.iter().copied().find(|practical| practical.name == name)
}

/// Runs as the launcher of a program if this process was started as one, and returns its exit
/// status then. Call it before anything else in an executable that calls [`run`].
pub fn enter_launcher() -> Option<std::process::ExitCode> {
    #[cfg(unix)]
    return sandbox::enter_helper();
    #[cfg(not(unix))]
    None
}
