//! From a conversation that breaks a program to the smallest that does.
//!
//! Each attempt starts a fresh process in its own place. A search with many clients tries fewer
//! clients first, because that makes all further attempts cheap. Then it tries shorter messages,
//! fewer messages and fewer pieces. The search has a time limit, and its result says if that limit
//! ended it.

use std::time::{Duration, Instant};

use crate::engine::program::Program;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome};

/// How long the search may last.
const SEARCH: Duration = Duration::from_secs(1);

/// A conversation by its measures: how many clients talk at the same time, the lengths of the
/// messages that each of them sends, and the largest piece of a message, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) clients: usize,
    pub(crate) messages: Vec<usize>,
    pub(crate) piece: usize,
}

impl Case {
    /// One client, one message, in one piece.
    pub(crate) fn message(length: usize) -> Self {
        Self::messages(vec![length])
    }

    /// One client, these messages.
    pub(crate) fn messages(lengths: Vec<usize>) -> Self {
        Self { clients: 1, messages: lengths, piece: usize::MAX }
    }

    fn with_length(&self, at: usize, length: usize) -> Self {
        let mut case = self.clone();
        case.messages[at] = length;
        case
    }

    /// Returns the number of bytes that all clients together send.
    fn total(&self) -> usize {
        self.clients * self.messages.iter().sum::<usize>()
    }

    /// Describes the conversation, in words that follow the label "smallest".
    fn describe(&self) -> String {
        let messages = match self.messages.as_slice() {
            [length] => format!("one {length}-byte message"),
            lengths if lengths.iter().all(|length| *length == lengths[0]) => {
                let count = number(lengths.len());
                format!("{count} {}-byte messages", lengths[0])
            }
            lengths => {
                let lengths: Vec<String> = lengths.iter().map(usize::to_string).collect();
                format!("messages of {} bytes", lengths.join(", then "))
            }
        };
        let cut = match self.messages.iter().max() {
            Some(longest) if *longest > self.piece => format!(", in {}-byte pieces", self.piece),
            _ => String::new(),
        };
        match self.clients {
            1 if self.messages.len() > 1 => {
                format!("failing case: {messages} on one connection{cut}")
            }
            1 => format!("failing case: {messages}{cut}"),
            clients => {
                format!(
                    "failing case: {clients} clients at the same time, each with {messages}{cut}"
                )
            }
        }
    }
}

/// Returns a number, as a word up to ten.
fn number(number: usize) -> String {
    const WORDS: [&str; 10] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let word = number.checked_sub(1).and_then(|at| WORDS.get(at));
    word.map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

/// How a conversation is held with a fresh process.
pub(crate) type Attempt<'a> = &'a dyn Fn(&Program, &Case) -> Outcome;

/// Returns the smallest case not above `bad` that breaks the program, with the conversation in
/// which it did, instead of `tried`. `good` bytes in one message are known to come back. Where
/// `bad` alone breaks nothing, `tried` stands.
pub(crate) fn smallest(
    program: &Program,
    good: usize,
    bad: Case,
    tried: Tried,
    attempt: Attempt<'_>,
) -> Tried {
    let deadline = Instant::now() + SEARCH;
    let mut search = Search { program, attempt, deadline, found: None, stopped: false, good };
    if !search.breaks(&bad) {
        return tried;
    }
    search.drop_clients();
    search.shorten(search.best().unwrap_or(bad));
    search.drop_messages();
    search.join_pieces();
    search.conclude(tried)
}

/// Returns the largest number below `bad` that works while the next number does not. Returns `None`
/// if 1 does not work, or if `bad` works.
pub(crate) fn largest_that_works(bad: usize, works: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut good, mut bad) = (1, bad);
    if !works(good) || works(bad) {
        return None;
    }
    while bad - good > 1 {
        let middle = good.midpoint(bad);
        *(if works(middle) { &mut good } else { &mut bad }) = middle;
    }
    Some(good)
}

struct Search<'a> {
    program: &'a Program,
    attempt: Attempt<'a>,
    deadline: Instant,
    /// The smallest case so far, and what came of it.
    found: Option<(Case, Tried)>,
    stopped: bool,
    /// The longest single message that is known to come back.
    good: usize,
}

impl Search<'_> {
    /// Returns whether this case breaks a fresh process; if so, keeps it as the smallest so far.
    fn breaks(&mut self, case: &Case) -> bool {
        if Instant::now() > self.deadline {
            self.stopped = true;
            return false;
        }
        match self.program.try_aside(|program| (self.attempt)(program, case)) {
            Err(Some(tried)) => {
                self.found = Some((case.clone(), tried));
                true
            }
            Ok(()) | Err(None) => false,
        }
    }

    fn best(&self) -> Option<Case> {
        self.found.as_ref().map(|(case, _)| case.clone())
    }

    fn shorten(&mut self, mut case: Case) {
        if let [length] = case.messages[..] {
            self.halve(self.good, length, |length| Case { messages: vec![length], ..case.clone() });
            return self.divide();
        }
        let least = Case { messages: vec![1; case.messages.len()], ..case.clone() };
        if self.breaks(&least) {
            return;
        }
        for at in (0..case.messages.len()).rev() {
            let length = case.messages[at];
            self.halve(0, length, |length| case.with_length(at, length));
            case = self.best().unwrap_or(case);
        }
    }

    /// Tries the divisors of the length. A program that waits for more when its buffer is full
    /// breaks at every multiple of the buffer's size.
    fn divide(&mut self) {
        let Some(case) = self.best() else { return };
        let bad = case.messages[0];
        let divisor = (1..=bad / 2).filter(|part| bad.is_multiple_of(*part));
        for part in divisor {
            if self.breaks(&case.with_length(0, part)) {
                let good = part - 1;
                let is_good = good > 0 && !self.breaks(&case.with_length(0, good)) && !self.stopped;
                self.good = if is_good { good } else { 0 };
                return;
            }
        }
    }

    /// Searches between a good and a bad number by halving, until they are neighbours.
    fn halve(&mut self, mut good: usize, mut bad: usize, case: impl Fn(usize) -> Case) {
        while bad - good > 1 && !self.stopped {
            let middle = good + (bad - good) / 2;
            if self.breaks(&case(middle)) { bad = middle } else { good = middle }
        }
        if !self.stopped && case(good).messages.len() == 1 && case(good).clients == 1 {
            self.good = good;
        }
    }

    /// Tries only the last messages.
    fn drop_messages(&mut self) {
        let Some(case) = self.best() else { return };
        for count in 1..case.messages.len() {
            let last = case.messages[case.messages.len() - count..].to_vec();
            if self.breaks(&Case { messages: last, ..case.clone() }) {
                return;
            }
        }
    }

    fn drop_clients(&mut self) {
        let Some(case) = self.best() else { return };
        let with = |clients| Case { clients, ..case.clone() };
        if case.clients > 2 && !self.breaks(&with(2)) {
            return self.halve(2, case.clients, with);
        }
        if case.clients > 1 {
            self.breaks(&with(1));
        }
    }

    /// Tries each message in one piece, then in two.
    fn join_pieces(&mut self) {
        let Some(case) = self.best() else { return };
        let longest = case.messages.iter().copied().max().unwrap_or(0);
        if case.piece < longest && !self.breaks(&Case { piece: usize::MAX, ..case.clone() }) {
            self.breaks(&Case { piece: longest.div_ceil(2), ..case.clone() });
        }
    }

    fn conclude(self, tried: Tried) -> Tried {
        let good = self.good;
        let Some((case, found)) = self.found else { return tried };
        let mut sentence = match (case.clients, case.messages.as_slice()) {
            (1, [bad]) if case.piece >= *bad && good > 0 && good + 1 == *bad => {
                format!("failing case: one {bad}-byte message; a {good}-byte message comes back")
            }
            _ => case.describe(),
        };
        if self.stopped {
            sentence += &format!(
                "; the grader stopped searching after {} s, so there may be a smaller case",
                SEARCH.as_secs()
            );
        }
        let shown = tried.shown_by(found);
        let failure = Failure {
            smallest_failing_input: Some(case.total()),
            smallest: Some(sentence),
            ..shown.failure
        };
        Tried { failure, ..shown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(clients: usize, messages: &[usize], piece: usize, text: &str) {
        assert_eq!(Case { clients, messages: messages.to_vec(), piece }.describe(), text);
    }

    #[test]
    fn a_case_is_described_by_its_measures() {
        reads(1, &[1], 9, "failing case: one 1-byte message");
        reads(1, &[12], 1, "failing case: one 12-byte message, in 1-byte pieces");
        reads(1, &[1, 1], 9, "failing case: two 1-byte messages on one connection");
        reads(1, &[13, 5], 99, "failing case: messages of 13, then 5 bytes on one connection");
        let clients = "failing case: 2 clients at the same time, each with two 200-byte messages";
        reads(2, &[200, 200], 999, clients);
    }

    #[test]
    fn the_largest_that_works_is_one_below_the_smallest_that_does_not() {
        for limit in [1, 2, 63, 64, 98] {
            assert_eq!(largest_that_works(99, |number| number <= limit), Some(limit));
        }
        assert_eq!(largest_that_works(99, |_| false), None);
        assert_eq!(largest_that_works(99, |_| true), None);
    }
}
