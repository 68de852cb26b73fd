//! The answers of systems other than Linux: nothing can be seen.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::facts::{
    CpuTime, HarnessSocket, ProgramState, Runs, SendQueues, SocketCounts, Standstill, TaskCounts,
};

pub(crate) fn listening(
    _launcher: u32,
    _program: u32,
    _with_children: bool,
) -> Option<Vec<SocketAddr>> {
    None
}

pub(crate) fn bound_datagrams(_launcher: u32, _program: u32) -> Option<Vec<SocketAddr>> {
    None
}

pub(crate) fn thread_cpu_time() -> Duration {
    Duration::ZERO
}

pub(crate) fn is_running(_launcher: u32) -> bool {
    false
}

pub(crate) fn is_ready(_launcher: u32) -> bool {
    false
}

pub(crate) fn thread_count(_pid: u32) -> u32 {
    0
}

pub(crate) fn waits_to_write(_launcher: u32) -> Option<usize> {
    None
}

pub(crate) fn tasks(_launcher: u32) -> Option<TaskCounts> {
    None
}

pub(crate) fn runs(_launcher: u32) -> Option<Runs> {
    None
}

pub(crate) fn waiting_for_sockets(_launcher: u32) -> Option<TaskCounts> {
    None
}

pub(crate) fn resident_memory(_launcher: u32) -> Option<u64> {
    None
}

pub(crate) fn sockets(_launcher: u32) -> Option<SocketCounts> {
    None
}

pub(crate) fn sockets_put_aside(_launcher: u32) -> Option<SocketCounts> {
    None
}

pub(crate) fn reuses_address(_launcher: u32) -> Option<bool> {
    None
}

pub(crate) fn read_size(_launcher: u32) -> Option<usize> {
    None
}

pub(crate) fn cpu_time(_launcher: u32) -> Option<CpuTime> {
    None
}

pub(crate) fn total_cpu_time(_launcher: u32) -> Option<Duration> {
    None
}

pub(crate) fn unread_from(_launcher: u32, _program: u32, _peer: SocketAddr) -> Option<usize> {
    None
}

pub(crate) fn program_state(_launcher: u32, _ours: &[HarnessSocket]) -> Option<ProgramState> {
    None
}

pub(crate) fn owes_after_closing(
    _launcher: u32,
    _program: u32,
    _to: &BTreeSet<SocketAddr>,
) -> bool {
    false
}

pub(crate) fn standstill(
    _launcher: u32,
    _earliest: Instant,
    _wires: SendQueues,
    _left: &BTreeSet<SocketAddr>,
) -> Option<Standstill> {
    None
}

#[cfg(unix)]
pub(crate) fn children(_of: u32) -> Vec<u32> {
    Vec::new()
}

#[cfg(unix)]
pub(crate) fn descendants(_of: u32) -> Vec<u32> {
    Vec::new()
}

/// Does nothing: only Linux lets a process adopt orphans. The launcher ends the process group of
/// the program instead.
#[cfg(unix)]
pub(crate) fn become_subreaper() -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(crate) fn is_drained(_socket: impl std::os::fd::AsFd, _wires: SendQueues) -> bool {
    true
}
