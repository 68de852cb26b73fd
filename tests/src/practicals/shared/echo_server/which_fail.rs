//! Which of several messages break a fresh server.

use super::facts::Answer;
use crate::engine::program::Program;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome};

/// How several pieces are sent to a server.
type Attempt = fn(&Program, &[&[u8]]) -> Outcome;

/// Sends each message to a fresh process, all at the same time. Each that fails leaves an
/// [`Answer`]. Returns those facts with `tried`, and the first message that failed.
pub(super) fn which_fail(
    server: &Program,
    mut tried: Tried,
    messages: &[Vec<&[u8]>],
    attempt: Attempt,
) -> (Tried, Option<(Vec<u8>, Tried)>) {
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for pieces in messages {
            let work = move || server.try_aside(|server| attempt(server, pieces));
            threads.push(std::thread::Builder::new().spawn_scoped(scope, work).ok());
        }
        threads.into_iter().map(|thread| thread?.join().ok()).collect()
    });
    let mut first = None;
    for (pieces, outcome) in messages.iter().zip(outcomes) {
        let Some(Err(Some(failed))) = outcome else { continue };
        let message = pieces.concat();
        tried = tried.with(answer(&message, &failed));
        first.get_or_insert((message, failed));
    }
    (tried, first)
}

/// What came back for this message.
fn answer(message: &[u8], tried: &Tried) -> Answer {
    let (came, ending) = match &tried.failure.difference {
        Some(difference) => {
            let before = &message[..difference.from.min(message.len())];
            ([before, &difference.observed].concat(), difference.ending)
        }
        None => (Vec::new(), None),
    };
    Answer { message: message.to_vec(), came, ending, died: tried.died() }
}

/// Shows this failure instead, with the smallest input that makes it.
pub(super) fn smallest(tried: Tried, shown: Tried, sentence: String, bytes: usize) -> Tried {
    let tried = tried.shown_by(shown);
    let failure =
        Failure { smallest: Some(sentence), smallest_failing_input: Some(bytes), ..tried.failure };
    Tried { failure, ..tried }
}
