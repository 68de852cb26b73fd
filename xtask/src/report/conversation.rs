//! A conversation in lines for people: the peer that matters step by step, the others in one line,
//! long runs folded. The terminal and the diagram draw these lines.

mod streams;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use suite::{Event, Status, Verdict};

use crate::plural::count;
use crate::report::steps::{self, Direction, is_sent};
use streams::{Streams, fold_peer};

/// Returns whether the bytes that came back answer the bytes that were sent, in that order.
pub(crate) type IsAnswer<'f> = &'f dyn Fn(&[u8], &[u8]) -> bool;

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// The number of steps that were left out at the beginning.
    Earlier(usize),
    Step(&'a Event),
    /// Messages of one peer that were all answered.
    Answered {
        peer: &'a str,
        turns: usize,
        least: usize,
        most: usize,
        at: Duration,
    },
    /// A stream in both directions.
    Streamed {
        peer: &'a str,
        pieces: usize,
        largest: usize,
        sent: usize,
        received: usize,
        /// `equal` or `answered` if the bytes received answer those sent so far.
        answered: Option<&'static str>,
        at: Duration,
    },
    /// What other peers did meanwhile.
    Others {
        peers: usize,
        answered: usize,
        are_clients: bool,
        steps: usize,
        at: Duration,
    },
}

/// The peer that a failure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Focus<'a> {
    /// The peer with which the check failed.
    pub(crate) peer: &'a str,
    /// Another peer that had sent the bytes that this one got.
    pub(crate) source: Option<&'a str>,
    /// Everything up to the failure. Later events are follow-ups.
    pub(crate) events: &'a [Event],
}

/// Returns the peers in the order of their first event.
pub(crate) fn peers(events: &[Event]) -> Vec<&str> {
    let mut known = HashSet::new();
    events.iter().map(|event| event.peer.as_str()).filter(|peer| known.insert(*peer)).collect()
}

/// Returns the peer that the failure names, or else the last one, because a check stops where it
/// fails.
pub(crate) fn focus(verdict: &Verdict) -> Option<Focus<'_>> {
    let named = match &verdict.status {
        Status::Failed(failure) => failure.peer.as_deref(),
        _ => None,
    };
    let events = &verdict.transcript;
    let last = events.iter().rposition(|event| named.is_none_or(|peer| peer == event.peer));
    let until = last.unwrap_or(events.len().checked_sub(1)?);
    let peer = events[until].peer.as_str();
    Some(Focus { peer, source: source(verdict, peer), events: &events[..=until] })
}

/// Returns the other peer that had sent the wrong bytes, or `None` if the peer may have sent them
/// itself.
fn source<'a>(verdict: &'a Verdict, peer: &str) -> Option<&'a str> {
    const NO_CHANCE: usize = 6;
    const LONG: usize = 16;
    let Status::Failed(failure) = &verdict.status else { return None };
    let difference = failure.difference.as_ref()?;
    let wrong = difference.observed.get(difference.at - difference.from..)?;
    let key = &wrong[..wrong.len().min(LONG)];
    if key.len() < NO_CHANCE {
        return None;
    }
    let sent = verdict.transcript.iter().rev().filter(|event| is_sent(event));
    let mut senders =
        sent.filter(|event| event.data().windows(key.len()).any(|window| window == key));
    let sender = senders.next()?.peer.as_str();
    (sender != peer && senders.all(|event| event.peer != peer)).then_some(sender)
}

/// Says which other client had sent the wrong bytes.
pub(crate) fn whose(verdict: &Verdict) -> Option<String> {
    let source = focus(verdict)?.source?;
    Some(format!("client {source} had sent these bytes"))
}

impl<'a> Focus<'a> {
    /// Returns the last lines that matter, at most `most`: the steps of this peer, and of the one
    /// whose bytes it got.
    pub(crate) fn end(&self, most: usize, is_answer: IsAnswer<'_>) -> Vec<Line<'a>> {
        let shown: Vec<&str> = std::iter::once(self.peer).chain(self.source).collect();
        end(fold(self.events, &shown, is_answer), most)
    }
}

/// Returns the whole conversation: the steps of these peers, and the other peers' folded.
pub(crate) fn fold<'a>(
    events: &'a [Event],
    shown: &[&str],
    is_answer: IsAnswer<'_>,
) -> Vec<Line<'a>> {
    let is_shown = |event: &Event| shown.contains(&event.peer.as_str());
    let same_line = |a: &Event, b: &Event| a.peer == b.peer || !is_shown(a) && !is_shown(b);
    let are_clients = events.iter().any(|event| steps::of(event).connects(Direction::ToProgram));
    let mut streams = Streams::new(is_answer);
    let mut lines = Vec::new();
    for group in events.chunk_by(same_line) {
        if is_shown(&group[0]) {
            fold_peer(group, &mut streams, &mut lines);
            continue;
        }
        lines.push(others(group, are_clients, &mut streams));
    }
    lines
}

/// Returns one line for steps of several peers.
fn others<'a>(group: &'a [Event], are_clients: bool, streams: &mut Streams<'a, '_>) -> Line<'a> {
    group.iter().for_each(|event| streams.follow(event));
    let peers: BTreeSet<&str> = group.iter().map(|event| event.peer.as_str()).collect();
    let answered = peers.iter().filter(|peer| streams.is_answered(peer)).count();
    let (peers, steps) = (peers.len(), group.len());
    Line::Others { peers, answered, are_clients, steps, at: group[group.len() - 1].at }
}

/// Returns the last lines, at most `most`.
pub(crate) fn end(mut lines: Vec<Line<'_>>, most: usize) -> Vec<Line<'_>> {
    if lines.len() <= most {
        return lines;
    }
    let rest = lines.split_off(lines.len() - (most - 1));
    let steps = lines.iter().map(Line::steps).sum();
    std::iter::once(Line::Earlier(steps)).chain(rest).collect()
}

impl Line<'_> {
    /// Returns the number of steps in a line.
    fn steps(&self) -> usize {
        match self {
            Self::Earlier(steps) | Self::Others { steps, .. } => *steps,
            Self::Step(event) => event.stretches,
            Self::Answered { turns, .. } => 2 * turns,
            Self::Streamed { pieces, .. } => *pieces,
        }
    }

    /// Returns the time at which the line ended.
    pub(crate) fn at(&self) -> Option<Duration> {
        match self {
            Self::Earlier(_) => None,
            Self::Step(event) => Some(event.at),
            Self::Answered { at, .. } | Self::Streamed { at, .. } | Self::Others { at, .. } => {
                Some(*at)
            }
        }
    }

    /// Returns the words of a line that summarises several steps.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Earlier(steps) => format!("… {}", count(*steps, "earlier step")),
            Self::Step(_) => String::new(),
            Self::Answered { turns, least, most, .. } if least == most => {
                format!("… {turns} messages of {}, all answered", count(*least, "byte"))
            }
            Self::Answered { turns, least, most, .. } => {
                format!("… {turns} messages of {least} to {most} bytes, all answered")
            }
            Self::Streamed { pieces, largest, sent, received, answered, .. } => {
                let answered = answered.map_or_else(String::new, |how| format!(", all {how}"));
                format!(
                    "… {pieces} × {} at most: {} sent, {} back{answered}",
                    amount(*largest),
                    amount(*sent),
                    amount(*received)
                )
            }
            Self::Others { peers, answered, are_clients, .. } => {
                let whom = if *are_clients { "other client" } else { "other connection" };
                let answered = match answered {
                    0 if !are_clients => String::new(),
                    0 => ", not yet answered in full".to_owned(),
                    all if all == peers && *peers == 1 => ", answered".to_owned(),
                    all if all == peers => ", all answered".to_owned(),
                    some => format!(", {some} of them answered"),
                };
                format!("… {}{answered}", count(*peers, whom))
            }
        }
    }
}

/// Returns an amount in KiB or MiB if that is exact enough, else in bytes.
fn amount(bytes: usize) -> String {
    const KIB: usize = 1024;
    const MIB: usize = KIB * KIB;
    match bytes {
        bytes if bytes >= MIB && bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
        bytes if bytes >= MIB => format!("{:.2} MiB", bytes as f64 / MIB as f64),
        bytes if bytes >= KIB && bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
        bytes => count(bytes, "byte"),
    }
}
