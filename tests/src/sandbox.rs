//! What a program may reach: as little as a right program needs.
//!
//! There are three tiers. On Linux with namespaces a program has a network, processes and a file
//! tree of its own, with Landlock, seccomp and limits inside. On Linux without them it has
//! Landlock, seccomp and limits. Elsewhere it has a certain end and some limits. What is in force
//! is never taken from what was asked for: at the start of each run [`probe`] tries every
//! protection from inside, and the report says which of them held.
//!
//! Nothing here knows what a program is for, and nothing judges it.

#[cfg(target_os = "linux")]
mod broker;
mod confinement;
#[cfg(target_os = "linux")]
mod enter;
mod errand;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod fork;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(unix)]
mod launcher;
#[cfg(unix)]
mod messages;
mod network;
mod output;
#[cfg(target_os = "linux")]
mod probe;
mod process;
#[cfg(unix)]
mod quota;
#[cfg(target_os = "linux")]
mod self_test;
mod spec;
#[cfg(target_os = "linux")]
mod tree;
#[cfg(unix)]
mod wire;

pub use confinement::Confinement;
pub use errand::{Errands, Finished};
#[cfg(unix)]
pub(crate) use launcher::enter_helper;
pub(crate) use network::Network;
pub(crate) use output::Output;
pub(crate) use process::Process;
pub(crate) use spec::{Launch, Stdin};
pub use spec::{Limits, Reach, Tier, Wanted};
