//! Follow-up exchanges: what a check asks of a fresh process once it has failed, so that one
//! mistake can be told from another.
//!
//! Nothing here decides a verdict, and nothing here is shown but where it is the shortest way to
//! the same failure.

use std::sync::Arc;

use super::{AFTERMATH, one_client};
use crate::engine::bench::Bench;
use crate::engine::evidence::{Clue, Trigger};
use crate::engine::patience;
use crate::engine::peer::{Ending, Peer};
use crate::engine::program::Program;
use crate::engine::shrink::Case;
use crate::engine::verdict::{Failure, Outcome, Stop};

/// So many bytes that had not come back came once another message was sent.
pub(crate) const REST_COMES_WITH_MORE: &str = "the rest comes with more";

/// Messages of whatever size come back whole, and then the connection is ended; the longest had so
/// many bytes.
pub(crate) const CLOSES_AFTER_ALL: &str = "closes after all";

/// Of a long message to a client that reads only once everything was taken, the middle is lost: the
/// last bytes that came are so many of the message's last, none where its end is lost, too.
pub(crate) const END_COMES: &str = "the end comes";

/// A client was not served as long as another did not read, and was once that one had gone.
pub(crate) const SERVED_ONCE_THE_OTHER_HAD_GONE: &str = "served once the other had gone";

/// While it was busy it waited on so many descriptors until they could be written to, as far as a
/// selector shows that.
pub(crate) const WAITS_TO_WRITE: &str = "waits to write";

/// The failure, where there is one.
pub(super) fn failure_of(outcome: &Outcome) -> Option<&Failure> {
    match outcome {
        Err(Stop::Failed(failure)) => Some(failure),
        _ => None,
    }
}

/// How the stream ended that was compared.
pub(super) fn ending_of(failure: &Failure) -> Option<Ending> {
    failure.difference.as_ref().and_then(|difference| difference.ending)
}

/// A silent server: what makes it speak after all?
pub(super) fn what_makes_it_reply(server: &Program, message: &[u8]) {
    let trigger = server.try_aside(|server| first_trigger(server, message)).0.ok().flatten();
    let trigger = match trigger {
        // One more byte is what a newline is, too.
        Some(Trigger::Newline) if replies_to(server, &[message, b"x"].concat()) => {
            Some(Trigger::More)
        }
        Some(Trigger::Never) if replies_to(server, &server.bench.payload().letters(64 * 1024)) => {
            Some(Trigger::More)
        }
        other => other,
    };
    if let Some(trigger) = trigger {
        server.bench.clue(Clue::Replies(trigger));
    }
}

/// `None` where it replies to the message itself this time, or has not even accepted its client.
fn first_trigger(server: &Program, message: &[u8]) -> Result<Option<Trigger>, Stop> {
    let running = server.launch()?;
    let client = running.connect()?;
    client.send(message)?;
    if client.is_answered()? || !client.is_accepted() {
        return Ok(None);
    }
    client.send(b"\n")?;
    if client.is_answered()? {
        return Ok(Some(Trigger::Newline));
    }
    client.half_close()?;
    Ok(Some(if client.is_answered()? { Trigger::EndOfStream } else { Trigger::Never }))
}

fn replies_to(server: &Program, message: &[u8]) -> bool {
    let attempt = |server: &Program| {
        let running = server.launch()?;
        let client = running.connect()?;
        client.send(message)?;
        client.is_answered()
    };
    server.try_aside(attempt).0.unwrap_or(false)
}

/// A server that closes after its first reply: has it read once, or until a read was short?
/// Messages that are multiples of nearly every buffer, the first of powers of two, the second of
/// round numbers, tell.
pub(super) fn how_it_takes_long_messages(server: &Program) {
    let found: Vec<Clue> =
        [61_440, 64_000].into_iter().filter_map(|sent| long_message(server, sent)).collect();
    let is_one_buffer = matches!(found[..], [Clue::LongMessage { came: a, .. }, Clue::LongMessage { came: b, sent, .. }] if a == b && b < sent);
    found.into_iter().for_each(|clue| server.bench.clue(clue));
    // A multiple of every usual buffer, of powers of two and of round numbers, and larger than
    // most. Who closes when nothing more is there is quicker than the sender now and then, so it
    // may be tried again.
    const MULTIPLES: [usize; 2] = [64_000, 131_072];
    const ATTEMPTS: usize = 8;
    let is_whole = |sent| long_message(server, sent).as_ref().is_some_and(is_whole_and_closed);
    if !is_one_buffer && MULTIPLES.iter().all(|sent| (0..ATTEMPTS).any(|_| is_whole(*sent))) {
        server.bench.clue(Clue::own(CLOSES_AFTER_ALL, MULTIPLES[1]));
    }
}

/// What comes of a first message of so many bytes.
fn long_message(server: &Program, sent: usize) -> Option<Clue> {
    let attempt = |server: &Program| {
        let message = server.bench.payload().letters(sent);
        let running = server.launch()?;
        let client = running.connect()?;
        let buffer = client.asked_for();
        client.send(&message)?;
        let received = client.receive(sent, patience::REPLY)?;
        let came = received.bytes.iter().zip(&message).take_while(|(a, b)| a == b).count();
        let ending = match received.ending {
            None => client.receive(1, patience::REPLY)?.ending,
            ended => ended,
        };
        Ok(Clue::LongMessage { sent, came, closed: ending.is_some_and(Ending::is_closed), buffer })
    };
    server.try_aside(attempt).0.ok()
}

fn is_whole_and_closed(clue: &Clue) -> bool {
    matches!(clue, Clue::LongMessage { sent, came, closed: true, .. } if sent == came)
}

/// A server that loses the middle of what a client does not read at once: does it know, at least,
/// what it owed last? Where the exchange itself comes to nothing, it says neither yes nor no.
pub(super) fn whether_the_end_comes(server: &Program) {
    const ATTEMPTS: usize = 3;
    let end = (0..ATTEMPTS).find_map(|_| server.try_aside(end_that_comes).0.ok().flatten());
    if let Some(end) = end {
        server.bench.clue(Clue::own(END_COMES, end));
    }
}

/// How much of a message's end comes to a client that reads once the server has taken all and done
/// with it what it does: what it takes later, it may find room for. `None` where not all was taken,
/// or all comes.
fn end_that_comes(server: &Program) -> Result<Option<usize>, Stop> {
    let message = server.bench.large_message();
    let running = server.launch()?;
    let client = running.connect_with_small_buffer()?;
    if client.flood(message, 1, |_| false)? < message.len() {
        return Ok(None);
    }
    client.until_taken()?;
    patience::let_be(&server.bench, AFTERMATH, patience::STALLED);
    let all_taken = client.is_taken();
    let came = client.receive(message.len(), patience::REPLY)?.bytes;
    let end = message.iter().rev().zip(came.iter().rev()).take_while(|(a, b)| a == b).count();
    Ok((all_taken && came.len() < message.len()).then_some(end))
}

/// A client that is not served while another one does not read: is it served when that one has
/// gone?
pub(super) fn whether_one_keeps_the_others_waiting(server: &Program) {
    let attempt = |server: &Program| {
        let message = server.bench.payload().letters(13);
        let running = server.launch()?;
        let never = running.connect_with_small_buffer()?;
        never.send_what_fits(server.bench.large_message())?;
        let mut other = running.connect()?;
        other.send(&message)?;
        let waits = !other.is_answered()?;
        never.reset();
        Ok(waits && other.expect(&message).is_ok())
    };
    if server.try_aside(attempt).0.unwrap_or(false) {
        server.bench.clue(Clue::own(SERVED_ONCE_THE_OTHER_HAD_GONE, 0));
    }
}

/// A size that breaks a server: what comes of one byte more, of as many as came back, and of the
/// next message?
pub(super) fn what_the_size_does(server: &Program, bad: usize) {
    let works =
        |size: usize| server.try_aside(|server| one_client(server, &Case::message(size))).0.is_ok();
    let attempt = |server: &Program| {
        let mut payload = server.bench.payload();
        let message = payload.letters(bad);
        let running = server.launch()?;
        let client = running.connect()?;
        client.send(&message)?;
        let received = client.receive(bad, patience::REPLY)?;
        let came = received.bytes.iter().zip(&message).take_while(|(a, b)| a == b).count();
        let silent = received.ending.is_some_and(Ending::is_silence);
        let next = payload.letters(9);
        let rest = [&message[came..], &next].concat();
        let more = if silent { what_comes_of(&client, &next, rest.len())? } else { Vec::new() };
        Ok((came, received.ending, more == next, more == rest))
    };
    if let Ok((came, ending, goes_on, rest_comes)) = server.try_aside(attempt).0 {
        if rest_comes {
            server.bench.clue(Clue::own(REST_COMES_WITH_MORE, bad - came));
        }
        let holds_so_many = came > 0 && works(came) && !works(came + 1);
        server.bench.clue(Clue::Size {
            bad,
            came,
            ending,
            longer_works: works(bad + 1),
            holds_so_many,
            goes_on,
        });
    }
}

fn what_comes_of(client: &Peer, message: &[u8], most: usize) -> Result<Vec<u8>, Stop> {
    client.send(message)?;
    Ok(client.receive(most, patience::REPLY)?.bytes)
}

/// What a fresh process makes of one message, for each of several, all at the same time: those that
/// fail leave a clue. The first of them, if any, with its evidence.
pub(super) fn which_fail(
    server: &Program,
    messages: &[Vec<&[u8]>],
    attempt: fn(&Program, &[&[u8]]) -> Outcome,
) -> Option<(Vec<u8>, Failure, Arc<Bench>)> {
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for pieces in messages {
            threads.push(scope.spawn(move || server.try_aside(|server| attempt(server, pieces))));
        }
        threads.into_iter().map(|thread| thread.join().ok()).collect()
    });
    let failed = messages.iter().zip(outcomes).filter_map(|(pieces, outcome)| match outcome? {
        (Err(Stop::Failed(failure)), bench) => Some((pieces.concat(), failure, bench)),
        _ => None,
    });
    let failed: Vec<_> = failed.collect();
    for (message, failure, bench) in &failed {
        server.bench.clue(answer(message, failure, bench));
    }
    failed.into_iter().next()
}

/// What came back for this message.
fn answer(message: &[u8], failure: &Failure, bench: &Bench) -> Clue {
    let (came, ending) = match &failure.difference {
        Some(difference) => {
            let before = &message[..difference.from.min(message.len())];
            ([before, &difference.observed].concat(), difference.ending)
        }
        None => (Vec::new(), None),
    };
    Clue::Answer { message: message.to_vec(), came, ending, died: bench.exit().is_some() }
}
