//! A message comes in pieces, and several may come together: what only framing makes possible.

use super::framed;
use crate::engine::payload::Payload;
use crate::engine::peer::Peer;
use crate::engine::program::Program;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome};
use crate::engine::wait;
use crate::practicals::shared::AFTERMATH;

/// A fact: a message in pieces did not come back, for all that its characters were whole.
#[derive(Debug, PartialEq, Eq)]
struct InPieces;

/// Two bytes are two bytes: one read may return the first of them.
pub(super) fn reads_cut_header(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;

    for length in [7, 90] {
        let message = framed(&payload.letters(length));
        let sent = client.send_pieces([&message[..1], &message[1..2], &message[2..]]);
        let echoed = sent.and_then(|()| client.expect(&message));
        echoed.map_err(|stop| stop.with(InPieces))?;
    }
    Ok(())
}

pub(super) fn whether_it_reads_the_header_once(server: &Program, tried: Tried) -> Tried {
    let because = "a message whose header came in two pieces did not come back; whole messages do";
    whole_messages_come_back(server, tried, "one_read_for_header", because)
}

/// A server that fails where a message comes in pieces: is it the pause that it cannot handle, or
/// do whole messages come back after one?
fn whole_messages_come_back(
    server: &Program,
    tried: Tried,
    mistake: &'static str,
    because: &str,
) -> Tried {
    let attempt = |server: &Program| {
        let mut payload = server.payload();
        let running = server.launch()?;
        let mut client = running.connect()?;
        for _ in 0..2 {
            wait::settle(&server.context, AFTERMATH, wait::STUCK);
            client.exchange(&framed(&payload.letters(9)))?;
        }
        Ok(())
    };
    let in_pieces = tried.fact(|InPieces| Some(())).is_some();
    match in_pieces && server.succeeds_aside(attempt) {
        true => tried.caused_by(mistake, because),
        false => tried,
    }
}

/// A body is there when as many bytes are there as the header says, however they come.
pub(super) fn reads_body_byte_by_byte(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;

    for body in [payload.letters(9), "é€😀".as_bytes().to_vec()] {
        let message = framed(&body);
        let pieces = [&message[..2]].into_iter().chain(message[2..].chunks(1));
        let echoed = client.send_pieces(pieces).and_then(|()| client.expect(&message));
        echoed.map_err(|stop| match body.is_ascii() {
            true => stop.with(InPieces),
            false => stop, // it may be the characters, cut in two
        })?;
    }
    Ok(())
}

pub(super) fn whether_it_reads_the_body_once(server: &Program, tried: Tried) -> Tried {
    let because = "a message whose body came in single bytes did not come back; whole messages do";
    whole_messages_come_back(server, tried, "one_read_for_body", because)
}

/// One read may return three messages: each is a message.
pub(super) fn answers_three_in_one_segment(server: &Program) -> Outcome {
    three_in_one_segment(server, |_, failure| failure)
}

/// Sends three messages in one segment. Where not all of them come back, `then` goes on with the
/// first one's length.
fn three_in_one_segment(
    server: &Program,
    then: impl FnOnce(&mut Conversation, Failure) -> Failure,
) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;

    let three = [11, 3, 6].map(|length| framed(&payload.letters(length)));
    let echoed = client.exchange(&three.concat());
    let mut conversation = Conversation { client, payload, first: three[0].len() };
    echoed.map_err(|stop| stop.map(|failure| then(&mut conversation, failure)))
}

/// A conversation after three messages were sent in one segment.
struct Conversation {
    client: Peer,
    payload: Payload,
    /// The length of the first of the three, with its header.
    first: usize,
}

/// A fact: only the first of three messages came back, and then the next one.
#[derive(Debug, PartialEq, Eq)]
struct OthersLost;

/// Is only the first of three messages answered, and then the next one?
pub(super) fn whether_it_drops_the_others(server: &Program, tried: Tried) -> Tried {
    let again = server.try_aside(|server| {
        three_in_one_segment(server, |conversation, failure| {
            let came = failure.difference.as_ref().map(|difference| difference.observed_length);
            let next = framed(&conversation.payload.letters(8));
            let goes_on =
                came == Some(conversation.first) && conversation.client.exchange(&next).is_ok();
            if goes_on { failure.with(OthersLost) } else { failure }
        })
    });
    let because = "of three messages in one segment the first came back, the other 2 never; \
                   the next one did";
    match again {
        Err(Some(again)) if again.fact(|OthersLost| Some(())).is_some() => {
            tried.shown_by(again).caused_by("drops_what_follows", because)
        }
        _ => tried,
    }
}

/// A fact: a message did not come back whose beginning had come with the one before it.
#[derive(Debug, PartialEq, Eq)]
struct SecondFails;

/// What was read beyond the end of a message is the beginning of the next one, and is not read
/// again.
pub(super) fn keeps_what_follows(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;

    for cut in [1, 2, 6] {
        let (first, second) = (framed(&payload.letters(8)), framed(&payload.letters(10)));
        let (half, rest) = second.split_at(cut);
        client.send_pieces([[first.as_slice(), half].concat().as_slice()])?;
        client.expect(&first)?;
        client.send(rest)?;
        client.expect(&second).map_err(|stop| stop.with(SecondFails))?;
    }
    Ok(())
}

/// After a message and one byte of the next header, is a whole message echoed as if that byte had
/// not been there?
pub(super) fn whether_it_forgets_half_a_header(server: &Program, tried: Tried) -> Tried {
    let second_fails = tried.fact(|SecondFails| Some(())).is_some();
    if !second_fails || !server.succeeds_aside(forgets_half_a_header) {
        return tried;
    }
    let because = "a message came with the first byte of the next one's header, \
                   and that byte was forgotten";
    tried.caused_by("forgets_half_message", because)
}

fn forgets_half_a_header(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;
    let (first, next) = (framed(&payload.letters(8)), framed(&payload.letters(10)));
    client.send_pieces([[first.as_slice(), &[0]].concat().as_slice()])?;
    client.expect(&first)?;
    client.exchange(&next)
}
