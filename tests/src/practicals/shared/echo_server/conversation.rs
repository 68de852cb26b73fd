//! How a conversation breaks off after a reply.

use super::exactness::LENGTHS;
use super::facts::{ClosesAfterAll, LongMessage, StaleBytes};
use super::one_client;
use super::triggers::PATIENCE;
use crate::engine::peer::Peer;
use crate::engine::program::Program;
use crate::engine::received::Ending;
use crate::engine::shrink::{self, Case};
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Stop};
use crate::engine::wait;
use crate::practicals::shared::FailedAt;

/// Finds out whether stale bytes come, or whether the server ends the connection after a reply.
/// Then finds the shortest conversation that breaks it.
pub(super) fn how_it_goes_on(server: &Program, tried: Tried) -> Tried {
    let Some(number) = tried.fact(|FailedAt(number)| Some(*number)) else { return tried };
    let stale = stale_bytes(server, &LENGTHS[..number], &tried.failure);
    let mut tried = tried.with_some(stale.map(StaleBytes));
    if tried.ending().is_some_and(Ending::is_silence) && comes_late(server, number) {
        tried = tried.caused_by(
            "replies_late",
            format!("your server replied to message {number} of a conversation only after 1 s"),
        );
    } else if tried.ending().is_some() {
        tried = how_it_takes_long_messages(server, tried);
    }
    let case = Case::messages(LENGTHS[..number].to_vec());
    shrink::smallest(server, 0, case, tried, &one_client)
}

/// Returns whether this message of the conversation comes back to a client that waits longer.
fn comes_late(server: &Program, number: usize) -> bool {
    let attempt = |server: &Program| {
        let mut payload = server.payload();
        let running = server.launch()?;
        let client = running.connect()?;
        let mut all = true;
        for length in &LENGTHS[..number] {
            let message = payload.letters(*length);
            client.send(&message)?;
            all &= client.receive(*length, PATIENCE)?.bytes == message;
        }
        Ok(all)
    };
    server.try_aside(attempt).unwrap_or(false)
}

/// Returns what came instead of an echo if that is the end of an earlier message, which a later,
/// shorter message left in a buffer.
fn stale_bytes(server: &Program, lengths: &[usize], failure: &Failure) -> Option<Vec<u8>> {
    const TELLING: usize = 3;
    let mut payload = server.payload();
    let messages: Vec<Vec<u8>> = lengths.iter().map(|length| payload.letters(*length)).collect();
    let wrong = failure.difference.as_ref()?.wrong();
    let is_stale = |earlier: &Vec<u8>, later: &Vec<u8>| {
        earlier.get(later.len()..).is_some_and(|rest| {
            let common = rest.iter().zip(wrong).take_while(|(a, b)| a == b).count();
            common >= TELLING && (common == rest.len() || common == wrong.len())
        })
    };
    let found = (1..messages.len())
        .any(|at| messages[..at].iter().any(|earlier| is_stale(earlier, &messages[at])));
    found.then(|| wrong.to_vec())
}

/// Finds out whether a server that gives its client up after its first reply has read once, or
/// until a short read. Messages that are multiples of nearly every buffer show this: the first
/// length is a multiple of powers of two, the second one of round numbers.
fn how_it_takes_long_messages(server: &Program, mut tried: Tried) -> Tried {
    /// Multiples of every usual buffer, of powers of two and of round numbers, and larger than
    /// most.
    const MULTIPLES: [usize; 2] = [64_000, 131_072];
    /// A server that closes when no more bytes are there may sometimes be quicker than the sender.
    const ATTEMPTS: usize = 8;
    let found: Vec<LongMessage> =
        [61_440, 64_000].into_iter().filter_map(|sent| long_message(server, sent)).collect();
    let is_one_buffer = matches!(&found[..], [a, b] if a.came == b.came && b.came < b.sent);
    for long in found {
        tried = tried.with(long);
    }
    if tried.ending().is_some_and(Ending::is_silence) {
        return tried;
    }
    let is_whole =
        |sent| long_message(server, sent).is_some_and(|long| long.came == sent && long.closed);
    let closes_after_all =
        !is_one_buffer && MULTIPLES.iter().all(|sent| (0..ATTEMPTS).any(|_| is_whole(*sent)));
    tried.with_some(closes_after_all.then_some(ClosesAfterAll(MULTIPLES[1])))
}

/// Sends a first message of this length, and returns what came back.
fn long_message(server: &Program, sent: usize) -> Option<LongMessage> {
    let attempt = |server: &Program| {
        let message = server.payload().letters(sent);
        let running = server.launch()?;
        let client = running.connect()?;
        let buffer = client.asked_for();
        client.send(&message)?;
        let received = client.receive(sent, wait::REPLY)?;
        let came = common(&received.bytes, &message);
        let ending = match received.ending {
            None => client.receive(1, wait::REPLY)?.ending,
            ended => ended,
        };
        let closed = ending.is_some_and(Ending::is_closed);
        let goes_on = !closed && came == sent && goes_on(server, &client)?;
        Ok(LongMessage { sent, came, closed, goes_on, buffer })
    };
    server.try_aside(attempt).ok()
}

/// Returns whether the next message on this connection comes back.
fn goes_on(server: &Program, client: &Peer) -> Result<bool, Stop> {
    let next = server.payload().letters(9);
    client.send(&next)?;
    Ok(client.receive(next.len(), wait::REPLY)?.bytes == next)
}

/// Returns how many bytes at the beginning are the same.
pub(super) fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
