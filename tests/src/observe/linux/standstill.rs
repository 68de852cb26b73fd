//! The proof that nothing can move in a program.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Instant;

use socket2::Socket;

use super::awaited;
use super::call::{has_timers, waiting_call, waits_without_limit};
use super::descendants::descendants_since;
use super::held::every_socket;
use super::process::{Process, opened};
use super::socket::{has_no_timeout, has_seen_the_end, hears_from_outside, is_still, peer_of};
use super::task::{schedstat, thread_stat, threads};
use crate::observe::facts::{BlockedThread, Standstill, Wires};

pub(crate) fn standstill(
    launcher: u32,
    earliest: Instant,
    wires: Wires,
    left: &BTreeSet<SocketAddr>,
) -> Option<Standstill> {
    let processes = opened(&descendants_since(launcher, earliest));
    let mut blocked = Vec::new();
    for process in &processes {
        // The youngest threads first: where one is at work, it is most often among them.
        for tid in threads(process.pid).into_iter().rev().filter(|tid| !process.has_lost(*tid)) {
            blocked.push(blocked_thread(process, tid)?);
        }
    }
    let is_at_rest = |socket: &Socket| is_at_rest(socket, wires, left);
    let still = !processes.iter().any(has_timers) && every_socket(&processes, is_at_rest)?;
    // A program of which nothing is left does not wait: how it ended is about to be heard.
    (still && !blocked.is_empty()).then_some(Standstill(blocked))
}

/// `None` where the thread is not blocked without a time limit.
fn blocked_thread(process: &Process, tid: u32) -> Option<BlockedThread> {
    let call = waiting_call(process.pid, tid)?;
    // A thread that is being woken keeps its call until it runs, but it no longer sleeps; on a busy
    // machine that lasts for milliseconds.
    let waits = waits_without_limit(process, &call) && thread_stat(process.pid, tid)?.sleeps();
    if !waits || awaited::is_there(process, &call) {
        return None;
    }
    let times_run = schedstat(process.pid, tid)?.times_run;
    Some(BlockedThread { tid, call: call.number, times_run })
}

/// Nothing is about to come through this socket.
fn is_at_rest(socket: &Socket, wires: Wires, left: &BTreeSet<SocketAddr>) -> bool {
    let awaits_end =
        || peer_of(socket).is_some_and(|peer| left.contains(&peer)) && !has_seen_the_end(socket);
    has_no_timeout(socket)
        && !hears_from_outside(socket)
        && is_still(socket, wires)
        && !awaits_end()
}
