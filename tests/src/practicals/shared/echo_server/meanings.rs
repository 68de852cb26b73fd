//! No byte and no word has a meaning to an echo server.

use super::facts::Alone;
use super::which_fail::{Broken, Pieces, harmless, smallest, which_fail};
use crate::engine::check::InShort;
use crate::engine::compare::describe;
use crate::engine::payload::Payload;
use crate::engine::program::Program;
use crate::engine::tried::Tried;
use crate::engine::verdict::Outcome;

/// Bytes are not text: a server that decodes what it receives, if only for its log, fails on bytes
/// that are not UTF-8, and on characters that two reads cut in two.
pub(super) fn echoes_every_byte_value(server: &Program) -> Outcome {
    let values = Values::new(&mut server.payload(), MOST);
    exchange_all(server, &values.messages().concat())
}

/// Sends each value to a fresh process, where letters in the same pieces come back. Finds the bytes
/// that break it alone.
pub(super) fn values_one_by_one(server: &Program, tried: Tried) -> InShort {
    let values = Values::new(&mut server.payload(), piece_that_comes_back(server));
    let messages = values.messages();
    let broken = which_fail(server, &messages, 2);
    if broken.is_empty() {
        return unless_harmless(server, tried, |server| {
            let values = Values::new(&mut server.payload(), MOST);
            let harmless = harmless(server, &values.messages().concat());
            exchange_all(server, &harmless.iter().map(Vec::as_slice).collect::<Vec<_>>())
        });
    }
    InShort::Fails(which_bytes(server, tried, broken))
}

/// Where the harmless conversation fails, too, no message is to blame.
fn unless_harmless(
    server: &Program,
    tried: Tried,
    harmless: impl FnOnce(&Program) -> Outcome,
) -> InShort {
    match server.succeeds_aside(harmless) {
        true => InShort::Fails(tried),
        false => InShort::Holds,
    }
}

/// Finds the bytes that break a fresh server alone: in the first message that does, and in those of
/// plain ASCII.
fn which_bytes(server: &Program, mut tried: Tried, broken: Vec<Broken>) -> Tried {
    const ASCII: usize = 3;
    let mut shown = None;
    let ascii = broken.iter().filter(|broken| broken.answer.message.is_ascii()).take(ASCII);
    for message in
        ascii.chain(broken.iter().take(1).filter(|first| !first.answer.message.is_ascii()))
    {
        let bytes: Vec<Pieces<'_>> = message.answer.message.chunks(1).map(|b| vec![b]).collect();
        for alone in which_fail(server, &bytes, 1) {
            tried = tried.with(Alone(alone.answer.message[0]));
            shown.get_or_insert(alone);
        }
    }
    let first = &broken[0];
    let (sentence, shown, length) = match shown {
        Some(alone) => {
            let byte = alone.answer.message[0];
            (format!("failing case: the byte 0x{byte:02x} alone"), alone.tried, 1)
        }
        None => {
            let sentence = "failing case: the bytes shown below, in the same pieces".to_owned();
            (sentence, first.tried.clone(), first.answer.message.len())
        }
    };
    let tried = broken.into_iter().fold(tried, |tried, broken| tried.with(broken.answer));
    smallest(tried, shown, sentence, length)
}

/// The largest number of bytes that are on the wire at once.
const MOST: usize = 16;

/// Returns the largest number of letters that come back: a server may wait for more when its buffer
/// is full.
fn piece_that_comes_back(server: &Program) -> usize {
    let comes_back = |length: &usize| {
        let attempt = |server: &Program| {
            let message = server.payload().letters(*length);
            exchange_all(server, &[&message])
        };
        server.succeeds_aside(attempt)
    };
    [MOST, 8, 4, 2].into_iter().find(comes_back).unwrap_or(MOST)
}

/// All byte values, and text whose characters are cut in two.
struct Values {
    piece: usize,
    all: Vec<u8>,
    cut: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Values {
    fn new(payload: &mut Payload, piece: usize) -> Self {
        Self { piece, all: (0..=255).collect(), cut: characters_cut_in_two(payload, piece) }
    }

    /// The messages, each in its pieces.
    fn messages(&self) -> Vec<Pieces<'_>> {
        let values = self.all.chunks(self.piece).map(|piece| vec![piece]);
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

/// Sends each word from a new client, followed by another message. At the end, one more client
/// talks.
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
        client.leave();
    }
    let last = running.connect().and_then(|mut client| client.exchange(&payload.letters(9)));
    last.map_err(|stop| stop.after(&format!("another client sent {before}")))
}

/// Sends each word to a fresh process, where letters of the same length come back.
pub(super) fn words_one_by_one(server: &Program, tried: Tried) -> InShort {
    let broken = which_fail(server, &WORDS.map(|word| vec![word]), WORDS.len());
    let Some(first) = broken.first() else {
        return unless_harmless(server, tried, |server| {
            let harmless = harmless(server, &WORDS);
            converse_in_words(server, &harmless.iter().map(Vec::as_slice).collect::<Vec<_>>())
        });
    };
    let word = &first.answer.message;
    let (sentence, length) = (format!("failing case: the message {}", describe(word)), word.len());
    let shown = first.tried.clone();
    let tried = broken.into_iter().fold(tried, |tried, broken| tried.with(broken.answer));
    InShort::Fails(smallest(tried, shown, sentence, length))
}
