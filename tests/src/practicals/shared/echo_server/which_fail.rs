//! Which of several messages break a fresh server, where a harmless message does not.
//!
//! Before a message is blamed, the same steps are tried with letters of the same length. Where
//! those fail, too, a shorter conversation is tried, and at last none: then the message is not to
//! blame.

use super::abilities::Abilities;
use super::facts::Answer;
use crate::engine::compare::describe;
use crate::engine::peer::Peer;
use crate::engine::program::Program;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome};

/// A message in the pieces in which it is sent, each when the one before has come back.
pub(super) type Pieces<'a> = Vec<&'a [u8]>;

/// A message that breaks a fresh server, with what came of it.
pub(super) struct Broken {
    pub(super) answer: Answer,
    pub(super) tried: Tried,
}

/// What a conversation about one message has in it besides the message.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Conversation {
    /// Whether all pieces are sent, or only the first one.
    all_pieces: bool,
    /// Whether the same client sends another message.
    more: bool,
    /// Whether another client comes afterwards.
    next: bool,
}

/// A fact: this many bytes of the message had come back when the conversation broke off.
#[derive(Debug, PartialEq, Eq)]
struct CameBack(usize);

/// Returns the messages that break a fresh server, at most this many of those that are no ASCII.
pub(super) fn which_fail(server: &Program, messages: &[Pieces<'_>], most: usize) -> Vec<Broken> {
    let can = Abilities::of(server);
    let longest =
        Conversation { all_pieces: can.converses, more: can.converses, next: can.serves_next };
    match can.serves_next {
        true => in_turn(server, messages, longest, most),
        false => each_alone(server, messages, longest),
    }
}

/// Sends the messages to one process, and those that may break it to a fresh one each.
fn in_turn(
    server: &Program,
    messages: &[Pieces<'_>],
    conversation: Conversation,
    most: usize,
) -> Vec<Broken> {
    let mut broken: Vec<Broken> = Vec::new();
    let mut from = 0;
    while from < messages.len() {
        let attempt = |server: &Program| talk_in_turn(server, &messages[from..], conversation);
        let Err(Some(tried)) = server.try_aside(attempt) else { break };
        let failed = from + tried.fact(|InTurn(number)| Some(*number)).unwrap_or(0);
        // Perhaps the message before it has broken the server.
        let suspects = failed.saturating_sub(1).max(from)..=failed.min(messages.len() - 1);
        broken.extend(suspects.filter_map(|at| breaks(server, &messages[at], conversation)));
        from = failed + 1;
        if broken.iter().filter(|broken| !broken.answer.message.is_ascii()).count() >= most {
            break;
        }
    }
    broken
}

/// A fact: the client of this number, counted from 0, was the first that was not served.
#[derive(Debug, PartialEq, Eq)]
struct InTurn(usize);

fn talk_in_turn(server: &Program, messages: &[Pieces<'_>], conversation: Conversation) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let last = payload.letters(9);
    let last = vec![last.as_slice()];
    for (number, pieces) in messages.iter().chain([&last]).enumerate() {
        let echoed = running.connect().and_then(|client| {
            converse(client, sent_of(pieces, conversation), conversation, &payload.letters(9))
        });
        echoed.map_err(|stop| stop.with(InTurn(number)))?;
    }
    Ok(())
}

/// Sends each message to a fresh process, a few at the same time.
fn each_alone(
    server: &Program,
    messages: &[Pieces<'_>],
    conversation: Conversation,
) -> Vec<Broken> {
    const AT_ONCE: usize = 8;
    let together = |messages: &[Pieces<'_>]| -> Vec<Broken> {
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for pieces in messages {
                let work = move || breaks(server, pieces, conversation);
                threads.push(std::thread::Builder::new().spawn_scoped(scope, work).ok());
            }
            threads.into_iter().filter_map(|thread| thread?.join().ok()?).collect()
        })
    };
    messages.chunks(AT_ONCE).flat_map(together).collect()
}

/// Returns what comes of this message if it breaks the server, and a harmless one does not.
fn breaks(server: &Program, pieces: &[&[u8]], longest: Conversation) -> Option<Broken> {
    let shorter = Conversation { all_pieces: false, more: false, ..longest };
    let shortest = Conversation { next: false, ..shorter };
    let mut conversations = vec![longest, shorter, shortest];
    conversations.dedup();
    for conversation in conversations {
        let talk = |server: &Program| talk(server, pieces, conversation);
        let Err(Some(tried)) = server.try_aside(talk) else { return None };
        if server.succeeds_aside(|server| talk_harmlessly(server, pieces, conversation)) {
            return Some(Broken { answer: answer(&pieces.concat(), &tried), tried });
        }
    }
    None
}

fn talk_harmlessly(server: &Program, pieces: &[&[u8]], conversation: Conversation) -> Outcome {
    let harmless = harmless(server, pieces);
    let harmless: Pieces<'_> = harmless.iter().map(Vec::as_slice).collect();
    talk(server, &harmless, conversation)
}

/// Returns letters of the same lengths.
pub(super) fn harmless(server: &Program, messages: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut payload = server.payload();
    messages.iter().map(|message| payload.letters(message.len())).collect()
}

fn sent_of<'a, 'b>(pieces: &'a [&'b [u8]], conversation: Conversation) -> &'a [&'b [u8]] {
    if conversation.all_pieces { pieces } else { &pieces[..1] }
}

fn talk(server: &Program, pieces: &[&[u8]], conversation: Conversation) -> Outcome {
    let pieces = sent_of(pieces, conversation);
    let message = pieces.concat();
    let mut payload = server.payload();
    let running = server.launch()?;
    converse(running.connect()?, pieces, conversation, &payload.letters(9))?;
    if conversation.next {
        let after = format!("another client sent {}", describe(&message));
        let echoed = running.connect().and_then(|mut next| next.exchange(&payload.letters(9)));
        echoed.map_err(|stop| stop.after(&after).with(CameBack(message.len())))?;
    }
    Ok(())
}

/// One client sends the pieces and perhaps another message, and closes.
fn converse(
    mut client: Peer,
    pieces: &[&[u8]],
    conversation: Conversation,
    more: &[u8],
) -> Outcome {
    let mut sent = 0;
    for piece in pieces {
        client.exchange(piece).map_err(|stop| stop.with(CameBack(sent)))?;
        sent += piece.len();
    }
    if conversation.more {
        let after = format!("the message {}", describe(&pieces.concat()));
        let echoed = client.exchange(more);
        echoed.map_err(|stop| stop.after(&after).with(CameBack(sent)))?;
    }
    client.leave();
    Ok(())
}

/// Returns what came back for this message.
fn answer(message: &[u8], tried: &Tried) -> Answer {
    let before = tried.fact(|CameBack(bytes)| Some(*bytes)).unwrap_or(0);
    let (before, rest) = message.split_at(before);
    let (came, ending) = match &tried.failure.difference {
        Some(difference) if !rest.is_empty() => {
            let same = &rest[..difference.from.min(rest.len())];
            ([before, same, &difference.observed].concat(), difference.ending)
        }
        difference => {
            (before.to_vec(), difference.as_ref().and_then(|difference| difference.ending))
        }
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
