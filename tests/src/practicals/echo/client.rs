//! What is checked of the echo client.
//!
//! The harness plays the server, and it answers with other bytes than it was sent, as many: a
//! client that prints what it was given is found out.

use super::client_causes::{
    closed_after_the_reply, message, whether_an_echo_ends_it, why_it_prints_that,
};
use crate::engine::check::{Check, check};
use crate::engine::client::Client;
use crate::engine::compare::describe;
use crate::engine::difference::Difference;
use crate::engine::ended::Ended;
use crate::engine::listener::Listener;
use crate::engine::peer::Peer;
use crate::engine::program::Program;
use crate::engine::received::{Ending, Received};
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::engine::wait;
use crate::practicals::shared::any_client::{self, CUTS, reports_refused, sends_nothing_more};
use crate::practicals::shared::reports::reports_failure;

pub(super) const CHECKS: &[Check] = &[
    check!(client, client_sends_exactly, echo_client),
    check!(client, client_reads_line_from_stdin, echo_client),
    check!(client, client_prints_reply, echo_client, then why_it_prints_that),
    check!(client, client_gathers_reply, echo_client, then what_it_gathers),
    check!(client, client_gathers_large_reply, echo_client),
    check!(client, client_reports_refused, echo_client),
    check!(client, client_reports_cut_reply, echo_client),
    check!(client, client_closes, echo_client, then whether_it_wants_its_own_bytes),
    check!(together, client_and_server_agree, echo_client, echo_server),
];

/// A fact: what a client printed, the reply that it had received, and what it had sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Printed {
    pub(super) stdout: Vec<u8>,
    pub(super) reply: Vec<u8>,
    pub(super) message: Vec<u8>,
    /// Whether the client ended by itself.
    pub(super) ended: bool,
    /// Whether the reply was on stderr, and the client ended with status 0.
    pub(super) on_stderr: bool,
}

impl Printed {
    /// Returns whether it printed the reply and more.
    pub(super) fn has_more(&self) -> bool {
        after(&self.stdout, &self.reply).is_some() && self.stdout != self.reply
    }
}

/// Returns what follows after the first place where `part` stands in `all`.
pub(super) fn after<'a>(all: &'a [u8], part: &[u8]) -> Option<&'a [u8]> {
    let at = all.windows(part.len().max(1)).position(|window| window == part)?;
    Some(&all[at + part.len()..])
}

/// A fact: a client printed the whole reply in plain ASCII, sent in the same pieces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GathersAscii;

/// A fact: a client did not end after a reply of this many bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HangsAfter(pub(super) usize);

/// A fact: how much a client printed of a reply that came in one piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OnePiece {
    /// How many bytes it printed of how many.
    pub(super) printed: usize,
    pub(super) of: usize,
    /// The size of the buffer that it reads into, if the system shows it.
    pub(super) buffer: Option<usize>,
}

/// The message goes out as it is: no newline of the client's, no other encoding.
fn client_sends_exactly(client: &Program) -> Outcome {
    let letters = client.payload().letters(11);
    for message in [letters.as_slice(), b"  two  words ", "Grüße, 世界".as_bytes(), b""] {
        let (listener, mut sender) = start(client, message)?;
        let mut server = listener.accept(&mut sender)?;

        server.expect(message)?;
        server.send(&client.otherwise(message))?;
        sends_nothing_more(&server, message)?;
    }
    Ok(())
}

pub(super) fn start(client: &Program, message: &[u8]) -> Result<(Listener, Client), Stop> {
    any_client::start_with(client, message)
}

/// Without an argument the message is the line that was typed, without its end.
fn client_reads_line_from_stdin(client: &Program) -> Outcome {
    let line = client.payload().letters(14);
    for (end, then_end) in [(b"\n".as_slice(), false), (b"\r\n", false), (b"", true)] {
        let ended = types(client, &line, end, then_end)?;
        let printed = prints(&ended, &line, &client.otherwise(&line));
        printed.or_else(|stop| unless_always(client, stop))?;
    }
    Ok(())
}

/// Types the line and its end, takes the message, answers and closes.
fn types(client: &Program, line: &[u8], end: &[u8], then_end: bool) -> Result<Ended, Stop> {
    let listener = Listener::open(client)?;
    let mut sender = client.send_typed(listener.address, &[line, end].concat(), then_end)?;
    let mut server = listener.accept(&mut sender)?;
    server.expect(line)?;
    server.send(&client.otherwise(line))?;
    sends_nothing_more(&server, line)?;
    server.close();
    sender.until_ended()
}

/// Takes the failure back if the client prints something else with MESSAGE, too: that is what
/// `client_prints_reply` finds.
fn unless_always(client: &Program, stop: Stop) -> Outcome {
    match client.try_aside(closed_after_the_reply) {
        Err(Some(_)) => Ok(()),
        Ok(()) | Err(None) => Err(stop),
    }
}

/// What is printed is what came back.
fn client_prints_reply(client: &Program) -> Outcome {
    let message = message(client);
    let reply = client.otherwise(&message);

    let ended = answer(client, &message, |server| server.send(&reply))?;

    prints(&ended, &message, &reply)
}

/// Starts the client, takes its message, lets `reply` answer, and waits for the client's end. The
/// server's side stays open until the client has ended its own.
pub(super) fn answer(
    client: &Program,
    message: &[u8],
    reply: impl FnOnce(&Peer) -> Outcome,
) -> Result<Ended, Stop> {
    let (listener, mut sender) = start(client, message)?;
    let mut server = listener.accept(&mut sender)?;
    server.expect(message)?;
    reply(&server)?;
    let rest = server.receive(1024 * 1024, wait::ENDING)?;
    if rest.ending == Some(Ending::EndOfStream) {
        server.close();
        return sender.until_ended();
    }
    let Some(Ending::Silence(why)) = rest.ending else { return sender.until_ended() };
    let ended = sender.until_ended_by_now()?;
    let snapshot = ended.snapshot.or(rest.snapshot).filter(|_| ended.exit.is_err());
    Ok(Ended { exit: ended.exit.map_err(|_| why), snapshot, ..ended })
}

/// On stdout there is the reply to `message` and a line end, and nothing else.
pub(super) fn prints(ended: &Ended, message: &[u8], reply: &[u8]) -> Outcome {
    let stdout = ended.stdout();
    let line = stdout.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if line == Some(reply) {
        return Ok(());
    }
    let observed = match line {
        Some(line) => format!("{} and a line end", describe(line)),
        None if stdout.is_empty() => format!("nothing on stdout ({})", ended.describe()),
        None => format!("{} and no line end", describe(&stdout)),
    };
    let expected = format!("on stdout the reply, {}, and one line end", describe(reply));
    let printed = Received::of(0, &stdout, None);
    let difference = Difference::between(&[reply, b"\n"].concat(), &printed).map(Box::new);
    let failure = Failure { difference, ..Failure::new(expected, observed) };
    let fact = Printed {
        stdout,
        reply: reply.to_vec(),
        message: message.to_vec(),
        ended: ended.exit.is_ok(),
        on_stderr: ended.succeeded() && ended.outputs.stderr.contains(reply),
    };
    Err(failure.at(ended.snapshot.clone()).with(fact).into())
}

/// A reply comes in any number of pieces; a piece may end in the middle of a character.
fn client_gathers_reply(client: &Program) -> Outcome {
    let message = cut_characters(client);
    answered_byte_by_byte(client, &message)
}

fn cut_characters(client: &Program) -> Vec<u8> {
    let letters = |count| client.payload().letters(count);
    [letters(5).as_slice(), "é€".as_bytes(), &letters(2)].concat()
}

fn answered_byte_by_byte(client: &Program, message: &[u8]) -> Outcome {
    let reply = client.otherwise(message);
    let ended = answer(client, message, |server| {
        for byte in reply.chunks(1) {
            server.send(byte)?;
            server.until_taken()?;
        }
        Ok(())
    })?;
    prints(&ended, message, &reply)
}

/// A client that loses what comes in pieces: does it print plain ASCII, and what does it print of a
/// long reply in one piece?
fn what_it_gathers(client: &Program, tried: Tried) -> Tried {
    let ascii = client.payload().letters(cut_characters(client).len());
    if client.succeeds_aside(|client| answered_byte_by_byte(client, &ascii)) {
        return tried.with(GathersAscii);
    }
    [61_440, 64_000].into_iter().fold(tried, |tried, of| one_piece(client, of, tried))
}

/// Does it read once, or until a read is short? Replies in one piece that are multiples of nearly
/// every buffer tell: the first length is one of powers of two, the second one of round numbers.
fn one_piece(client: &Program, of: usize, tried: Tried) -> Tried {
    let message = client.payload().letters(of);
    let mut buffer = None;
    let ended = client.try_aside(|client| {
        answer(client, &message, |server| {
            buffer = server.asked_for();
            server.send(&client.otherwise(&message))
        })
    });
    match ended {
        Ok(ended) if ended.exit.is_ok() => {
            let whole = ended.outputs.stdout.whole();
            let printed = whole.map_or(of, |stdout| stdout.trim_ascii_end().len());
            tried.with(OnePiece { printed, of, buffer })
        }
        Ok(_) => tried.with(HangsAfter(of)),
        Err(_) => tried,
    }
}

/// A reply may be larger than any buffer.
fn client_gathers_large_reply(client: &Program) -> Outcome {
    const SIZE: usize = 100_000;
    let message = client.payload().letters(SIZE);
    let reply = client.otherwise(&message);

    let (first, second) = reply.split_at(SIZE / 2 + 1);
    let ended = answer(client, &message, |server| {
        server.send(first)?;
        server.until_taken()?;
        server.send(second)
    });

    let printed = ended.and_then(|ended| prints(&ended, &message, &reply));
    printed.map_err(|stop| {
        any_client::unless_typing_fails(client, &message, stop, prints_a_typed_line)
    })
}

/// The reply to a short line from stdin is printed.
fn prints_a_typed_line(client: &Program) -> Outcome {
    let line = client.payload().letters(14);
    prints(&types(client, &line, b"\n", false)?, &line, &client.otherwise(&line))
}

/// No server listens: that deserves a message for a person, and a failure for a script.
fn client_reports_refused(client: &Program) -> Outcome {
    reports_refused(client, &[b"Hello, world"])
}

/// Half a reply is no reply.
fn client_reports_cut_reply(client: &Program) -> Outcome {
    let message = client.payload().letters(20);
    let reply = client.otherwise(&message);
    let half = &reply[..reply.len() / 2];

    for (cut, how) in CUTS {
        let (listener, mut sender) = start(client, &message)?;
        let mut server = listener.accept(&mut sender)?;
        server.expect(&message)?;
        server.send(half)?;
        server.until_taken()?;
        cut(server);

        let ended = sender.until_ended()?;
        reports_failure(&ended, &format!("the server {how} after half of the reply"))?;
    }
    Ok(())
}

/// The reply is complete when as many bytes are back as were sent, also where that fills a buffer
/// exactly, or is nothing at all. Then the client closes and ends, and does not wait for a server
/// that waits for it.
fn client_closes(client: &Program) -> Outcome {
    let payload = client.payload().letters(4096);
    for length in [10, 4096, 0] {
        let message = &payload[..length];
        let (listener, mut sender) = start(client, message)?;
        let mut server = listener.accept(&mut sender)?;
        server.expect(message)?;
        server.send(&client.otherwise(message))?;

        server
            .expect_end(wait::ENDING)
            .map_err(|stop| stop.map(|failure| still_open(failure, length)))?;
        server.close();
        let ended = sender.until_ended()?;
        if !ended.succeeded() {
            return Err(did_not_succeed(&ended, length).into());
        }
        if message.is_empty() {
            prints(&ended, b"", b"")?;
        }
    }
    Ok(())
}

pub(super) fn did_not_succeed(ended: &Ended, length: usize) -> Failure {
    let expected = format!("exit status 0 after a message of {length} bytes");
    Failure::new(expected, ended.describe()).at(ended.snapshot.clone())
}

/// A client that prints its reply at once, and hangs then, may wait for its own bytes.
fn whether_it_wants_its_own_bytes(client: &Program, tried: Tried) -> Tried {
    match tried.fact(|HangsAfter(length)| (*length < 4096).then_some(())) {
        Some(()) => whether_an_echo_ends_it(client, tried),
        None => tried,
    }
}

fn still_open(failure: Failure, length: usize) -> Failure {
    let expected =
        format!("end of stream from your client after the reply to a message of {length} bytes");
    let smallest_failing_input = Some(length);
    Failure { expected, smallest_failing_input, ..failure }.with(HangsAfter(length))
}

/// Both together do what each does alone.
fn client_and_server_agree(client: &Program, server: &Program) -> Outcome {
    let mut payload = client.payload();
    let running = server.launch_for(client)?;

    let text = "Grüße".as_bytes().to_vec();
    for message in [payload.letters(12), text, payload.letters(1024), payload.letters(5000)] {
        let ended = client.send_to(running.address, &message)?.until_ended()?;
        prints(&ended, &message, &message)?;
    }
    Ok(())
}
