//! A conversation as a person follows it: the peer that matters step by step, the others in a line,
//! long equal runs folded. The terminal and the diagram draw these lines; nothing here draws.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use suite::{Event, Status, Verdict, What};

/// One line of a picture.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// What was left out at the beginning: so many steps.
    Earlier(usize),
    Step(&'a Event),
    /// Messages of one peer, one after another, that all came back as they were.
    Echoed {
        peer: &'a str,
        turns: usize,
        least: usize,
        most: usize,
        at: Duration,
    },
    /// A stream that went both ways at once; whether what came back is the beginning of what was
    /// sent.
    Streamed {
        peer: &'a str,
        pieces: usize,
        largest: usize,
        sent: usize,
        received: usize,
        equal: bool,
        at: Duration,
    },
    /// What others did meanwhile.
    Others {
        peers: usize,
        answered: usize,
        are_clients: bool,
        steps: usize,
        at: Duration,
    },
}

/// Whom a failure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Focus<'a> {
    /// The peer with which the check came to its end.
    pub(crate) peer: &'a str,
    /// Another one that had sent the bytes which this one got.
    pub(crate) source: Option<&'a str>,
    /// All that had happened by then; what came later was tried to learn more.
    pub(crate) events: &'a [Event],
}

/// The peers in the order of their coming.
pub(crate) fn peers(events: &[Event]) -> Vec<&str> {
    let mut known = HashSet::new();
    events.iter().map(|event| event.peer.as_str()).filter(|peer| known.insert(*peer)).collect()
}

/// The peer that the failure names, else the one that spoke last: a check stops where it fails.
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

/// Who else had sent the bytes that stand where others should; `None` where the peer may have sent
/// them itself.
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
    let sent = verdict.transcript.iter().rev().filter(|event| event.what == What::Send);
    let mut senders =
        sent.filter(|event| event.data().windows(key.len()).any(|window| window == key));
    let sender = senders.next()?.peer.as_str();
    (sender != peer && senders.all(|event| event.peer != peer)).then_some(sender)
}

/// Whose the bytes are that came in the place of others.
pub(crate) fn whose(verdict: &Verdict) -> Option<String> {
    let source = focus(verdict)?.source?;
    Some(format!("these are bytes that client {source} had sent"))
}

impl<'a> Focus<'a> {
    /// The stretch that matters: the steps of the peer that failed, and of one whose bytes it got,
    /// in at most so many lines.
    pub(crate) fn end(&self, most: usize) -> Vec<Line<'a>> {
        let shown: Vec<&str> = std::iter::once(self.peer).chain(self.source).collect();
        end(fold(self.events, &shown), most)
    }
}

/// The whole conversation, with the steps of these peers and the others' folded.
pub(crate) fn fold<'a>(events: &'a [Event], shown: &[&str]) -> Vec<Line<'a>> {
    let is_shown = |event: &Event| shown.contains(&event.peer.as_str());
    let same_line = |a: &Event, b: &Event| a.peer == b.peer || !is_shown(a) && !is_shown(b);
    let are_clients = events.iter().any(|event| event.what == What::Connect);
    let mut streams = Streams::default();
    let mut lines = Vec::new();
    for group in events.chunk_by(same_line) {
        if is_shown(&group[0]) {
            fold_peer(group, &mut streams, &mut lines);
            continue;
        }
        group.iter().for_each(|event| streams.follow(event));
        let peers: BTreeSet<&str> = group.iter().map(|event| event.peer.as_str()).collect();
        let answered = peers.iter().filter(|peer| streams.is_answered(peer)).count();
        let (peers, steps) = (peers.len(), group.len());
        lines.push(Line::Others {
            peers,
            answered,
            are_clients,
            steps,
            at: group[group.len() - 1].at,
        });
    }
    lines
}

/// The last lines, at most so many.
pub(crate) fn end(mut lines: Vec<Line<'_>>, most: usize) -> Vec<Line<'_>> {
    if lines.len() <= most {
        return lines;
    }
    let rest = lines.split_off(lines.len() - (most - 1));
    let steps = lines.iter().map(Line::steps).sum();
    std::iter::once(Line::Earlier(steps)).chain(rest).collect()
}

impl Line<'_> {
    /// How many things happened in it.
    fn steps(&self) -> usize {
        match self {
            Self::Earlier(steps) | Self::Others { steps, .. } => *steps,
            Self::Step(event) => event.stretches,
            Self::Echoed { turns, .. } => 2 * turns,
            Self::Streamed { pieces, .. } => *pieces,
        }
    }

    /// When it was, or came to its end.
    pub(crate) fn at(&self) -> Option<Duration> {
        match self {
            Self::Earlier(_) => None,
            Self::Step(event) => Some(event.at),
            Self::Echoed { at, .. } | Self::Streamed { at, .. } | Self::Others { at, .. } => {
                Some(*at)
            }
        }
    }

    /// What a line says that stands for several steps.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Earlier(steps) => format!("… {}", count(*steps, "earlier step")),
            Self::Step(_) => String::new(),
            Self::Echoed { turns, least, most, .. } if least == most => {
                format!("… {turns} messages of {}, all answered", count(*least, "byte"))
            }
            Self::Echoed { turns, least, most, .. } => {
                format!("… {turns} messages of {least} to {most} bytes, all answered")
            }
            Self::Streamed { pieces, largest, sent, received, equal, .. } => {
                let equal = if *equal { ", all equal" } else { "" };
                format!(
                    "… {pieces} × {} at most: {} sent, {} back{equal}",
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

/// `1 byte`, `2 bytes`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A round number of KiB or MiB is told as such, others to the byte where that matters.
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

/// One peer's steps in a row. Of a run that is folded the last ones stay: they are what the next
/// are compared with.
fn fold_peer<'a>(group: &'a [Event], streams: &mut Streams<'a>, lines: &mut Vec<Line<'a>>) {
    const LEAST_TURNS: usize = 3;
    const LEAST_PIECES: usize = 6;
    let mut at = 0;
    while at < group.len() {
        let turns = group[at..].chunks_exact(2).take_while(|pair| is_turn(pair)).count();
        let pieces = group[at..].iter().take_while(|event| event.what.carries_bytes()).count();
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

/// A message, and the same again.
fn is_turn(pair: &[Event]) -> bool {
    matches!((pair[0].what, pair[1].what), (What::Send, What::Receive))
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
    let total = |what| run.iter().filter(|event| event.what == what).map(|event| event.bytes).sum();
    Line::Streamed {
        peer: &run[0].peer,
        pieces: run.iter().map(|event| event.stretches).sum(),
        largest: run.iter().map(|event| event.bytes).max().unwrap_or_default(),
        sent: total(What::Send),
        received: total(What::Receive),
        equal,
        at: run[run.len() - 1].at,
    }
}

/// What each peer has sent and received so far.
#[derive(Default)]
struct Streams<'a>(HashMap<&'a str, [Vec<u8>; 2]>);

impl<'a> Streams<'a> {
    fn follow(&mut self, event: &'a Event) {
        let [sent, received] = self.0.entry(&event.peer).or_default();
        match event.what {
            What::Send => sent.extend_from_slice(&event.data()),
            What::Receive => received.extend_from_slice(&event.data()),
            _ => {}
        }
    }

    /// It has sent something, and all of it came back.
    fn is_answered(&self, peer: &str) -> bool {
        self.0.get(peer).is_some_and(|[sent, received]| !sent.is_empty() && sent == received)
    }

    /// What came back is the beginning of what was sent.
    fn is_equal_so_far(&self, peer: &str) -> bool {
        self.0
            .get(peer)
            .is_some_and(|[sent, received]| !received.is_empty() && sent.starts_with(received))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(steps: &[(&str, What, &[u8])]) -> Vec<Event> {
        let numbered = (0..).zip(steps);
        numbered
            .map(|(at, (peer, what, data))| {
                Event::new(Duration::from_millis(at), peer, *what, data)
            })
            .collect()
    }

    #[track_caller]
    fn check(steps: &[(&str, What, &[u8])], shown: &[&str], expected: &[&str]) {
        let events = events(steps);
        let lines = fold(&events, shown);
        let said: Vec<String> = lines
            .iter()
            .map(|line| match line {
                Line::Step(event) => format!("{} {:?}", event.peer, event.what),
                line => line.words(),
            })
            .collect();
        assert_eq!(said, expected);
        assert_eq!(
            lines.iter().map(Line::steps).sum::<usize>(),
            steps.len(),
            "every step is in one line"
        );
    }

    use What::{Connect, End, Receive, Send};

    #[test]
    fn others_are_one_line() {
        check(
            &[
                ("a", Connect, b""),
                ("a", Send, b"x"),
                ("b", Connect, b""),
                ("a", Receive, b"x"),
                ("c", Connect, b""),
                ("d", Connect, b""),
                ("d", Send, b"abc"),
                ("c", End, b""),
            ],
            &["c"],
            &[
                "… 2 other clients, 1 of them answered",
                "c Connect",
                "… 1 other client, not yet answered in full",
                "c End",
            ],
        );
    }

    #[test]
    fn messages_that_came_back_are_one_line_but_for_the_last() {
        check(
            &[
                ("a", Send, b"x"),
                ("a", Receive, b"x"),
                ("a", Send, b"yz"),
                ("a", Receive, b"yz"),
                ("a", Send, b"1"),
                ("a", Receive, b"1"),
                ("a", Send, b"2"),
                ("a", Receive, b"3"),
            ],
            &["a"],
            &[
                "… 2 messages of 1 to 2 bytes, all answered",
                "a Send",
                "a Receive",
                "a Send",
                "a Receive",
            ],
        );
    }

    #[test]
    fn a_stream_both_ways_is_one_line_and_says_whether_it_is_equal() {
        let (first, other) = ([b'a'; 2048], [b'b'; 2048]);
        let mut steps = [("a", Send, first.as_slice()), ("a", Receive, &first[..1024])].repeat(4);
        check(
            &steps,
            &["a"],
            &["… 6 × 2 KiB at most: 6 KiB sent, 3 KiB back, all equal", "a Send", "a Receive"],
        );
        steps[3].2 = &other;
        check(
            &steps,
            &["a"],
            &["… 6 × 2 KiB at most: 6 KiB sent, 4 KiB back", "a Send", "a Receive"],
        );
    }

    #[test]
    fn a_failure_is_about_whom_it_names_and_what_came_later_is_left_out() {
        let transcript = events(&[
            ("a", Connect, b""),
            ("b", Connect, b""),
            ("b", End, b""),
            ("c", Connect, b""),
        ]);
        let about = |peer: Option<&str>| {
            let failure =
                suite::Failure { peer: peer.map(str::to_owned), ..suite::Failure::default() };
            Verdict {
                transcript: transcript.clone(),
                ..Verdict::new("a_check", Status::Failed(failure))
            }
        };
        for (named, peer, steps) in [(Some("b"), "b", 3), (None, "c", 4), (Some("nobody"), "c", 4)]
        {
            let verdict = about(named);
            let focus = focus(&verdict).unwrap();
            assert_eq!((focus.peer, focus.events.len()), (peer, steps));
        }
    }

    #[test]
    fn anothers_bytes_are_known_again() {
        let transcript = events(&[
            ("a", Send, b"the message of a"),
            ("b", Send, b"the message of b"),
            ("a", Receive, b"the message of b"),
        ]);
        let difference = suite::Difference {
            at: 0,
            deviation: suite::Deviation::Changed,
            expected_length: 16,
            observed_length: 16,
            from: 0,
            expected: b"the message of a".to_vec(),
            observed: b"the message of b".to_vec(),
            ending: None,
        };
        let failure =
            suite::Failure { difference: Some(Box::new(difference)), ..suite::Failure::default() };
        let verdict = Verdict { transcript, ..Verdict::new("a_check", Status::Failed(failure)) };
        assert_eq!(focus(&verdict).unwrap().source, Some("b"));
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let events =
            events(&[("a", Connect, b""), ("a", Send, b"x"), ("b", Connect, b""), ("a", End, b"")]);
        let lines = end(fold(&events, &["a"]), 3);
        assert_eq!(lines[0], Line::Earlier(2));
        assert_eq!(lines.len(), 3);
    }
}
