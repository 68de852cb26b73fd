//! Folds runs of one peer's steps to one line.

use std::collections::HashMap;

use suite::Event;

use super::{IsAnswer, Line};
use crate::report::steps::{direction_of_bytes, is_received, is_sent};

/// Folds steps of one peer. The last steps of a run stay visible, because the next ones are
/// compared with them.
pub(super) fn fold_peer<'a>(
    group: &'a [Event],
    streams: &mut Streams<'a, '_>,
    lines: &mut Vec<Line<'a>>,
) {
    const LEAST_TURNS: usize = 3;
    const LEAST_PIECES: usize = 6;
    let mut at = 0;
    while at < group.len() {
        let turns =
            group[at..].chunks_exact(2).take_while(|pair| is_turn(pair, streams.is_answer)).count();
        let pieces = group[at..].iter().take_while(|event| event.kind.carries_bytes()).count();
        let folded = match (turns, pieces) {
            (LEAST_TURNS.., _) => 2 * (turns - 1),
            (_, LEAST_PIECES..) => pieces - 2,
            _ => 0,
        };
        let (run, rest) = group[at..].split_at(folded);
        run.iter().for_each(|event| streams.follow(event));
        match run {
            [] => {}
            run if turns >= LEAST_TURNS => lines.push(answered(run)),
            run => lines.push(streamed(run, streams.answered_so_far(&run[0].peer))),
        }
        let shown = if folded > 0 { 2 } else { 1 };
        for event in &rest[..shown.min(rest.len())] {
            streams.follow(event);
            lines.push(Line::Step(event));
        }
        at += folded + shown;
    }
}

/// Returns whether these are a message and its answer.
fn is_turn(pair: &[Event], is_answer: IsAnswer<'_>) -> bool {
    is_sent(&pair[0]) && is_received(&pair[1]) && is_answer(&pair[0].data(), &pair[1].data())
}

fn answered(run: &[Event]) -> Line<'_> {
    let sizes = || run.iter().map(|event| event.bytes);
    Line::Answered {
        peer: &run[0].peer,
        turns: run.len() / 2,
        least: sizes().min().unwrap_or_default(),
        most: sizes().max().unwrap_or_default(),
        at: run[run.len() - 1].at,
    }
}

fn streamed<'a>(run: &'a [Event], answered: Option<&'static str>) -> Line<'a> {
    let total = |wanted: fn(&Event) -> bool| {
        run.iter().filter(|event| wanted(event)).map(|event| event.bytes).sum()
    };
    Line::Streamed {
        peer: &run[0].peer,
        pieces: run.iter().map(|event| event.stretches).sum(),
        largest: run.iter().map(|event| event.bytes).max().unwrap_or_default(),
        sent: total(is_sent),
        received: total(is_received),
        answered,
        at: run[run.len() - 1].at,
    }
}

/// What each peer has sent and received so far.
pub(super) struct Streams<'a, 'f> {
    peers: HashMap<&'a str, [Vec<u8>; 2]>,
    is_answer: IsAnswer<'f>,
}

impl<'a, 'f> Streams<'a, 'f> {
    pub(super) fn new(is_answer: IsAnswer<'f>) -> Self {
        Self { peers: HashMap::new(), is_answer }
    }

    pub(super) fn follow(&mut self, event: &'a Event) {
        if let Some(direction) = direction_of_bytes(event) {
            let streams = self.peers.entry(&event.peer).or_default();
            streams[direction as usize].extend_from_slice(&event.data());
        }
    }

    /// Returns whether everything that the peer sent was answered.
    pub(super) fn is_answered(&self, peer: &str) -> bool {
        let streams = self.peers.get(peer);
        streams.is_some_and(|[sent, came]| !sent.is_empty() && (self.is_answer)(sent, came))
    }

    /// Says how the bytes received answer all bytes sent, or the first of them of the same length.
    fn answered_so_far(&self, peer: &str) -> Option<&'static str> {
        let [sent, came] = self.peers.get(peer)?;
        let first = sent.get(..came.len()).unwrap_or(sent);
        let is_answered = [first, sent].into_iter().any(|sent| (self.is_answer)(sent, came));
        let how = if first == came { "equal" } else { "answered" };
        (is_answered && !came.is_empty()).then_some(how)
    }
}
