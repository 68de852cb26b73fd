//! Drives programs from outside and keeps the evidence. No practical is named here.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod diagnose;
pub(crate) mod evidence;
pub(crate) mod network;
pub(crate) mod patience;
pub(crate) mod payload;
pub(crate) mod peer;
mod port;
pub(crate) mod program;
pub(crate) mod run;
pub(crate) mod shrink;
pub(crate) mod transcript;
pub(crate) mod verdict;
