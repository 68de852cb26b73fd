//! The proof that nothing can move in a program.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Instant;

use socket2::Socket;

use super::call::{has_timers, waiting_call, waits_without_limit};
use super::descendants::descendants_since;
use super::held::every_socket;
use super::interest;
use super::process::{Process, opened};
use super::socket::{has_no_timeout, has_seen_the_end, hears_from_outside, is_drained, peer_of};
use super::task::{schedstat, thread_stat, threads};
use crate::observe::facts::{BlockedThread, SendQueues, Standstill};

pub(crate) fn standstill(
    launcher: u32,
    earliest: Instant,
    queues: SendQueues,
    left: &BTreeSet<SocketAddr>,
) -> Option<Standstill> {
    let processes = opened(&descendants_since(launcher, earliest));
    let mut blocked = Vec::new();
    for process in &processes {
        // The youngest threads come first: a thread that works is most often among them.
        for tid in
            threads(process.pid).into_iter().rev().filter(|tid| !process.is_ended_leader(*tid))
        {
            blocked.push(blocked_thread(process, tid)?);
        }
    }
    let is_at_rest = |socket: &Socket| is_at_rest(socket, queues, left);
    let still = !processes.iter().any(has_timers) && every_socket(&processes, is_at_rest)?;
    // A program without processes does not wait: the harness is about to learn how it ended.
    (still && !blocked.is_empty()).then_some(Standstill(blocked))
}

/// Returns `None` where the thread is not blocked, or may be woken without anything from outside.
fn blocked_thread(process: &Process, tid: u32) -> Option<BlockedThread> {
    let call = waiting_call(process.pid, tid)?;
    // A thread that is being woken keeps its call until it runs, but no longer sleeps. On a busy
    // machine that lasts for milliseconds.
    let waits = waits_without_limit(process, &call) && thread_stat(process.pid, tid)?.sleeps();
    if !waits || interest::is_ready(process, &call) {
        return None;
    }
    let times_run = schedstat(process.pid, tid)?.times_run;
    Some(BlockedThread { tid, call: call.number, times_run })
}

/// Returns whether nothing is about to come through this socket.
fn is_at_rest(socket: &Socket, queues: SendQueues, left: &BTreeSet<SocketAddr>) -> bool {
    let awaits_end =
        || peer_of(socket).is_some_and(|peer| left.contains(&peer)) && !has_seen_the_end(socket);
    has_no_timeout(socket)
        && !hears_from_outside(socket)
        && is_drained(socket, queues)
        && !awaits_end()
}
