//! What comes back is what was sent: every byte, and no other.

use super::facts::{ClosesAfterAll, Greeting, LongMessage, StaleBytes};
use super::which_fail::{smallest, which_fail};
use super::{one_client, pause};
use crate::engine::compare::{self, describe};
use crate::engine::payload::Payload;
use crate::engine::program::Program;
use crate::engine::received::{Ending, Received};
use crate::engine::shrink::{self, Case};
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::engine::wait;
use crate::practicals::shared::{AFTERMATH, FailedAt};

const SHORT: &[u8] = b"Hello, world";

/// The least that an echo server does.
pub(super) fn echoes_short_message(server: &Program) -> Outcome {
    let running = server.launch()?;
    let mut client = running.connect()?;
    client.send(SHORT)?;

    client.receive_among_others(SHORT).map(drop)
}

/// What makes a silent program reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trigger {
    Newline,
    EndOfStream,
    More,
    /// Nothing: it has accepted its client, and never replies.
    Never,
}

/// Finds out what makes a silent server reply.
pub(super) fn what_makes_it_reply(server: &Program, tried: Tried) -> Tried {
    if !tried.ending().is_some_and(Ending::is_silence) {
        return tried;
    }
    match trigger(server) {
        Some(Trigger::Newline) => tried.caused_by(
            "waits_for_newline",
            "your server did not reply to a message, but replied when a newline followed",
        ),
        Some(Trigger::EndOfStream) => tried.caused_by(
            "waits_for_end",
            "your server did not reply to a message or to a newline, \
             but replied after the client half-closed",
        ),
        Some(Trigger::Never) => tried.caused_by(
            "accepts_only",
            "your server accepted its client, \
             but did not reply to a message, a newline, 64 KiB or a half-close",
        ),
        Some(Trigger::More) | None => tried,
    }
}

fn trigger(server: &Program) -> Option<Trigger> {
    match server.try_aside(first_trigger).ok().flatten() {
        // A newline is one more byte, too.
        Some(Trigger::Newline) if replies_to(server, &[SHORT, b"x"].concat()) => {
            Some(Trigger::More)
        }
        Some(Trigger::Never) if replies_to(server, &server.payload().letters(64 * 1024)) => {
            Some(Trigger::More)
        }
        other => other,
    }
}

/// Returns `None` if the server replies to the message itself this time, or has not even
/// accepted its client.
fn first_trigger(server: &Program) -> Result<Option<Trigger>, Stop> {
    let running = server.launch()?;
    let client = running.connect()?;
    client.send(SHORT)?;
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
    server.try_aside(attempt).unwrap_or(false)
}

/// Bytes are not text: a server that decodes what it receives, if only for its log, fails on bytes
/// that are not UTF-8, and on characters that two reads cut in two.
pub(super) fn echoes_every_byte_value(server: &Program) -> Outcome {
    let values = Values::new(&mut server.payload());
    exchange_all(server, &values.messages().concat())
}

/// Finds the messages that break a fresh server, and the byte of the first one that does so alone.
pub(super) fn which_values_fail(server: &Program, tried: Tried) -> Tried {
    let values = Values::new(&mut server.payload());
    let (tried, first) = which_fail(server, tried, &values.messages(), exchange_all);
    let Some((message, shown)) = first else { return tried };
    for byte in message.chunks(1) {
        if let Err(Some(alone)) = server.try_aside(|server| exchange_all(server, &[byte])) {
            let sentence = format!("failing case: the byte 0x{:02x} alone", byte[0]);
            return smallest(tried, alone, sentence, 1);
        }
    }
    let together = "failing case: the bytes shown below, in the same pieces".to_owned();
    smallest(tried, shown, together, message.len())
}

/// All byte values, and text whose characters are cut in two.
struct Values {
    all: Vec<u8>,
    cut: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Values {
    /// The largest number of bytes that are on the wire at once.
    const PIECE: usize = 16;

    fn new(payload: &mut Payload) -> Self {
        Self { all: (0..=255).collect(), cut: characters_cut_in_two(payload, Self::PIECE) }
    }

    /// The messages, each in its pieces.
    fn messages(&self) -> Vec<Vec<&[u8]>> {
        let values = self.all.chunks(Self::PIECE).map(|piece| vec![piece]);
        let cut = self.cut.iter().map(|(first, second)| vec![first.as_slice(), second.as_slice()]);
        values.chain(cut).collect()
    }
}

/// For each size of a read, up to `most`: text whose last character is cut by it, and the rest of
/// that text.
fn characters_cut_in_two(payload: &mut Payload, most: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let characters = ["é", "€", "😀"];
    let cut = |(size, character): (usize, &&str)| {
        let (begin, end) = character.as_bytes().split_at(1);
        let first = [&payload.letters(size - 1), begin].concat();
        (first, [end, &payload.letters(5)].concat())
    };
    (1..=most).zip(characters.iter().cycle()).map(cut).collect()
}

/// Several messages on one connection.
fn exchange_all(server: &Program, messages: &[&[u8]]) -> Outcome {
    let running = server.launch()?;
    let mut client = running.connect()?;
    messages.iter().try_for_each(|message| client.exchange(message))
}

const WORDS: [&[u8]; 16] = [
    b"q",
    b"quit",
    b"exit",
    b"/bye",
    b"SHUTDOWN",
    b"GET / HTTP/1.1",
    b"\n",
    b"\r\n",
    b"q\n",
    b"quit\r\n",
    b"exit\n",
    b"bye",
    b"GET / HTTP/1.1\r\n\r\n",
    b"\0leading",
    b"trailing\0",
    b"\0",
];

/// A message is data: no word in it is a command, and a NUL or a line end is a byte like any other.
pub(super) fn obeys_no_words(server: &Program) -> Outcome {
    converse_in_words(server, &WORDS)
}

/// Sends each word from a new client, followed by another message. At the end, one more client talks.
fn converse_in_words(server: &Program, words: &[&[u8]]) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut before = "nothing".to_owned();
    for word in words {
        let had_sent = format!("another client sent {before}");
        let mut client = running.connect().map_err(|stop| stop.after(&had_sent))?;
        before = describe(word);
        client.exchange(word)?;
        let after = format!("the message {before}");
        client.exchange(&payload.letters(9)).map_err(|stop| stop.after(&after))?;
        client.close();
    }
    let last = running.connect().and_then(|mut client| client.exchange(&payload.letters(9)));
    last.map_err(|stop| stop.after(&format!("another client sent {before}")))
}

/// Finds the words that break a fresh server.
pub(super) fn which_words_fail(server: &Program, tried: Tried) -> Tried {
    let each = WORDS.map(|word| vec![word]);
    let (tried, first) = which_fail(server, tried, &each, converse_in_words);
    let Some((word, shown)) = first else { return tried };
    let sentence = format!("failing case: the message {}", describe(&word));
    smallest(tried, shown, sentence, word.len())
}

/// An echo is the message: no welcome, no prefix, no newline of the server's.
pub(super) fn adds_nothing(server: &Program) -> Outcome {
    const MOST: usize = 64 * 1024;
    let message = server.payload().letters(11);
    let running = server.launch()?;
    let mut client = running.connect()?;

    let greeting = client.whatever_comes(AFTERMATH)?;
    client.send(&message)?;
    let mut came = client.receive_among_others(&message)?.bytes;
    client.half_close()?; // the echo is complete: this only ends the wait for more bytes
    came.extend(client.receive(MOST, wait::SILENCE)?.bytes);

    let added = compare::same(&message, &Received::of(0, &came, None), "client a");
    if greeting.is_empty() {
        return Ok(added?);
    }
    let expected = "no bytes for client a before it sends anything";
    let failure = Failure {
        difference: added.err().and_then(|failure| failure.difference),
        ..Failure::new(expected, describe(&greeting))
    };
    Err(failure.with(Greeting(greeting)).into())
}

/// The lengths of the messages in a conversation. They get shorter, so that bytes left over in a
/// buffer show.
const LENGTHS: [usize; 7] = [13, 5, 11, 3, 1, 14, 2];

/// One connection carries many messages. A server that reads once and replies once, or that takes a
/// short read for the end, loses the second message; so does one that closes when nothing comes for
/// a moment.
pub(super) fn echoes_message_after_message(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;

    for (number, length) in (1..).zip(LENGTHS) {
        if number == 2 {
            pause(server);
        }
        let echoed = client.exchange(&payload.letters(length));
        echoed.map_err(|stop| stop.with(FailedAt(number)))?;
    }
    Ok(())
}

/// Finds out whether stale bytes come, or whether the server ends the connection after a reply. Then
/// finds the shortest conversation that breaks it.
pub(super) fn how_it_goes_on(server: &Program, tried: Tried) -> Tried {
    let Some(number) = tried.fact(|FailedAt(number)| Some(*number)) else { return tried };
    let stale = stale_bytes(server, &LENGTHS[..number], &tried.failure);
    let mut tried = tried.with_some(stale.map(StaleBytes));
    if tried.ending().is_some_and(Ending::is_closed) {
        tried = how_it_takes_long_messages(server, tried);
    }
    let case = Case::messages(LENGTHS[..number].to_vec());
    shrink::smallest(server, 0, case, tried, &one_client)
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

/// Finds out whether a server that closes after its first reply has read once, or until a short
/// read. Messages that are multiples of nearly every buffer show this: the first length is a multiple
/// of powers of two, the second one of round numbers.
fn how_it_takes_long_messages(server: &Program, mut tried: Tried) -> Tried {
    /// Multiples of every usual buffer, of powers of two and of round numbers, and larger than most.
    const MULTIPLES: [usize; 2] = [64_000, 131_072];
    /// A server that closes when no more bytes are there may sometimes be quicker than the sender.
    const ATTEMPTS: usize = 8;
    let found: Vec<LongMessage> =
        [61_440, 64_000].into_iter().filter_map(|sent| long_message(server, sent)).collect();
    let is_one_buffer = matches!(&found[..], [a, b] if a.came == b.came && b.came < b.sent);
    for long in found {
        tried = tried.with(long);
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
        Ok(LongMessage { sent, came, closed: ending.is_some_and(Ending::is_closed), buffer })
    };
    server.try_aside(attempt).ok()
}

/// Returns how many bytes at the beginning are the same.
pub(super) fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
