//! Confines each program to what a correct one needs.
//!
//! There are three tiers. With Linux namespaces, a program gets a private network, private
//! processes and a private file tree, and Landlock, seccomp and limits apply inside. On Linux
//! without namespaces, Landlock, seccomp and limits apply. On other systems the harness ends every
//! program and enforces some limits. At the start of each run the [`self_test`] tries every
//! protection from inside, and the report says which of them held.
//!
//! This module knows no practical, judges no program and holds no socket of a check. It speaks to
//! its helper processes in one protocol ([`wire`], [`messages`]).

#[cfg(target_os = "linux")]
mod allowance;
#[cfg(target_os = "linux")]
mod broker;
mod command;
#[cfg(target_os = "linux")]
mod comparison;
mod confinement;
#[cfg(target_os = "linux")]
mod copies;
#[cfg(target_os = "linux")]
mod enter;
#[cfg(target_os = "linux")]
mod filter;
mod folder;
#[cfg(target_os = "linux")]
mod group;
#[cfg(all(unix, not(target_os = "linux")))]
#[path = "sandbox/group/elsewhere.rs"]
mod group;
#[cfg(target_os = "linux")]
mod hidden;
#[cfg(unix)]
mod inherited;
#[cfg(target_os = "linux")]
mod interface;
#[cfg(target_os = "linux")]
mod kernel;
#[cfg(unix)]
mod lack;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(unix)]
mod launcher;
#[cfg(unix)]
mod messages;
mod network;
mod not_started;
#[cfg(target_os = "linux")]
mod ordinary;
mod output;
#[cfg(target_os = "linux")]
mod probe;
mod process;
#[cfg(unix)]
mod quota;
#[cfg(target_os = "linux")]
mod refused;
#[cfg(target_os = "linux")]
mod self_test;
mod settings;
#[cfg(unix)]
mod signals;
mod spec;
#[cfg(target_os = "linux")]
mod stand_in;
#[cfg(unix)]
mod tally;
#[cfg(target_os = "linux")]
mod tree;
#[cfg(target_os = "linux")]
mod unlinked;
#[cfg(target_os = "linux")]
mod users;
#[cfg(unix)]
mod wire;

#[cfg(target_os = "linux")]
pub(crate) use allowance::{Allowance, allowance};
pub use command::{Commands, Finished, Left};
#[cfg(target_os = "linux")]
pub(crate) use comparison::is_shown;
pub use confinement::{Confinement, Surroundings};
#[cfg(target_os = "linux")]
pub(crate) use enter::tasks_of_this_user;
pub use folder::{Folder, remove_folder};
#[cfg(unix)]
pub(crate) use launcher::enter_helper;
pub(crate) use network::Network;
pub(crate) use not_started::NotStarted;
pub use not_started::may_execute_in;
pub(crate) use output::Output;
pub(crate) use process::Process;
#[cfg(unix)]
pub use process::end_all_programs;
pub use settings::without_settings;
#[cfg(unix)]
pub use signals::on_ending_signal;
pub(crate) use spec::{JailedCommand, Stdin};
pub use spec::{Limits, Reach, Tier, Wanted};
