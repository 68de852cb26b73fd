//! Follow-up exchanges: what a check asks of a fresh process once it has failed, so that one mistake can be told from another.
//!
//! Nothing here decides a verdict, and nothing here is shown but where it is the shortest way to the same failure.

use std::sync::Arc;

use crate::bench::Bench;
use crate::evidence::{Clue, Trigger};
use crate::patience;
use crate::peer::Ending;
use crate::program::Program;
use crate::shrink::Case;
use crate::{Failure, Outcome, Stop};

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
        Some(Trigger::Newline) if replies_to(server, &[message, b"x"].concat()) => Some(Trigger::More),
        Some(Trigger::Never) if replies_to(server, &server.bench.payload().letters(64 * 1024)) => Some(Trigger::More),
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

/// A server that closes after its first reply: has it read once, or until a read was short? Messages that are multiples of
/// nearly every buffer, the first of powers of two, the second of round numbers, tell.
pub(super) fn how_it_takes_long_messages(server: &Program) {
    for sent in [61_440, 64_000] {
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
        if let Ok(clue) = server.try_aside(attempt).0 {
            server.bench.clue(clue);
        }
    }
}

/// A size that breaks a server: what comes of one byte more, of as many as came back, and of the next message?
pub(super) fn what_the_size_does(server: &Program, bad: usize) {
    let works = |size: usize| server.try_aside(|server| one_message(server, &Case::message(size))).0.is_ok();
    let attempt = |server: &Program| {
        let mut payload = server.bench.payload();
        let message = payload.letters(bad);
        let running = server.launch()?;
        let mut client = running.connect()?;
        client.send(&message)?;
        let received = client.receive(bad, patience::REPLY)?;
        let came = received.bytes.iter().zip(&message).take_while(|(a, b)| a == b).count();
        let silent = received.ending.is_some_and(Ending::is_silence);
        let goes_on = silent && client.exchange(&payload.letters(9)).is_ok();
        Ok((came, received.ending, goes_on))
    };
    if let Ok((came, ending, goes_on)) = server.try_aside(attempt).0 {
        let holds_so_many = came > 0 && works(came) && !works(came + 1);
        server.bench.clue(Clue::Size { bad, came, ending, longer_works: works(bad + 1), holds_so_many, goes_on });
    }
}

/// One client, whose messages are exchanged in turn, piece by piece.
pub(super) fn one_message(server: &Program, case: &Case) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;
    for length in &case.messages {
        for piece in payload.letters(*length).chunks(case.piece) {
            client.exchange(piece)?;
        }
    }
    Ok(())
}

/// What a fresh process makes of one message, for each of several, all at the same time: those that fail leave a clue. The
/// first of them, if any, with its evidence.
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
