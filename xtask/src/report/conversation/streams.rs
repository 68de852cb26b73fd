//! Folds runs of one peer's steps to one line.

use std::collections::HashMap;

use suite::{Event, EventKind};

use super::Line;

/// Folds steps of one peer. The last steps of a run stay visible, because the next ones are
/// compared with them.
pub(super) fn fold_peer<'a>(
    group: &'a [Event],
    streams: &mut Streams<'a>,
    lines: &mut Vec<Line<'a>>,
) {
    const LEAST_TURNS: usize = 3;
    const LEAST_PIECES: usize = 6;
    let mut at = 0;
    while at < group.len() {
        let turns = group[at..].chunks_exact(2).take_while(|pair| is_turn(pair)).count();
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
            run if turns >= LEAST_TURNS => lines.push(echoed(run)),
            run => lines.push(streamed(run, streams.is_equal_so_far(&run[0].peer))),
        }
        let shown = if folded > 0 { 2 } else { 1 };
        for event in &rest[..shown.min(rest.len())] {
            streams.follow(event);
            lines.push(Line::Step(event));
        }
        at += folded + shown;
    }
}

/// Returns whether a message came back unchanged.
fn is_turn(pair: &[Event]) -> bool {
    matches!((pair[0].kind, pair[1].kind), (EventKind::Send, EventKind::Receive))
        && pair[0].bytes == pair[1].bytes
        && pair[0].data() == pair[1].data()
}

fn echoed(run: &[Event]) -> Line<'_> {
    let sizes = || run.iter().map(|event| event.bytes);
    Line::Echoed {
        peer: &run[0].peer,
        turns: run.len() / 2,
        least: sizes().min().unwrap_or_default(),
        most: sizes().max().unwrap_or_default(),
        at: run[run.len() - 1].at,
    }
}

fn streamed(run: &[Event], equal: bool) -> Line<'_> {
    let total = |kind| run.iter().filter(|event| event.kind == kind).map(|event| event.bytes).sum();
    Line::Streamed {
        peer: &run[0].peer,
        pieces: run.iter().map(|event| event.stretches).sum(),
        largest: run.iter().map(|event| event.bytes).max().unwrap_or_default(),
        sent: total(EventKind::Send),
        received: total(EventKind::Receive),
        equal,
        at: run[run.len() - 1].at,
    }
}

/// What each peer has sent and received so far.
#[derive(Default)]
pub(super) struct Streams<'a>(HashMap<&'a str, [Vec<u8>; 2]>);

impl<'a> Streams<'a> {
    pub(super) fn follow(&mut self, event: &'a Event) {
        let [sent, received] = self.0.entry(&event.peer).or_default();
        match event.kind {
            EventKind::Send => sent.extend_from_slice(&event.data()),
            EventKind::Receive => received.extend_from_slice(&event.data()),
            _ => {}
        }
    }

    /// Returns whether everything that the peer sent came back.
    pub(super) fn is_answered(&self, peer: &str) -> bool {
        self.0.get(peer).is_some_and(|[sent, received]| !sent.is_empty() && sent == received)
    }

    /// Returns whether the bytes received are the beginning of those sent.
    fn is_equal_so_far(&self, peer: &str) -> bool {
        self.0
            .get(peer)
            .is_some_and(|[sent, received]| !received.is_empty() && sent.starts_with(received))
    }
}
