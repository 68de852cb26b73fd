//! Drives programs from outside and keeps the evidence. The engine names no practical.
//!
//! From the bottom up: `payload`, `transcript`, `port` and `place` are parts of a check's
//! `context`, which also knows who is alive (`activity`) and what is kept for afterwards (`kept`).
//! A `wait` ends by proof or by a deadline. A `program` is launched (`running`), and a `peer` or a
//! `listener` talks to it. `check` and `diagnose` are what practicals are made of; `judge` and
//! `run` run them.

mod activity;
mod arrival;
pub(crate) mod budget;
pub(crate) mod check;
pub(crate) mod client;
mod command_line;
pub(crate) mod compare;
pub(crate) mod context;
pub(crate) mod diagnose;
pub(crate) mod difference;
pub(crate) mod ended;
pub(crate) mod facts;
pub(crate) mod judge;
pub(crate) mod kept;
mod learned;
pub(crate) mod listener;
pub(crate) mod machine;
pub(crate) mod network;
mod not_listening;
pub(crate) mod opening;
pub(crate) mod payload;
pub(crate) mod peer;
mod place;
mod port;
mod probe;
pub(crate) mod program;
pub(crate) mod received;
pub(crate) mod round;
pub(crate) mod run;
pub(crate) mod running;
pub(crate) mod scratch;
pub(crate) mod shrink;
pub(crate) mod sight;
pub(crate) mod snapshot;
mod starts;
pub(crate) mod subject;
pub(crate) mod transcript;
pub(crate) mod tried;
pub(crate) mod unwritten;
pub(crate) mod verdict;
pub(crate) mod wait;
