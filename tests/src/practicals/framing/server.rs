//! What is checked of the server that echoes messages with a header.
//!
//! The readable list first, then the checks. A check's doc comment is the misconception that it
//! detects.

use std::time::Duration;

use super::header::{TakesHeader, Way};
use super::pieces::*;
use super::{Framed, framed, of_length};
use crate::engine::check::{Check, check};
use crate::engine::payload::Payload;
use crate::engine::peer::Peer;
use crate::engine::program::{Program, Server};
use crate::engine::transcript::show;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome};
use crate::engine::wait::{self, Proof, Wait, wait_for};
use crate::practicals::shared::address::listens_on_given_address;
use crate::practicals::shared::clients::{
    connect_one_by_one, reset_at, whether_the_first_keeps_the_second_waiting,
};
use crate::practicals::shared::dialogue::Dialogue;
use crate::practicals::shared::reports::{
    reports_address_in_use, reports_bad_arguments, whether_it_ends_anyway,
};
use crate::practicals::shared::{AFTERMATH, FailedAt, OthersBytes};

pub(super) const CHECKS: &[Check] = &[
    check!(flow, listens_on_given_address, framed_server),
    check!(header, echoes_one_message, framed_server, then which_header_it_takes),
    check!(header, echoes_empty_body, framed_server),
    check!(header, echoes_every_length, framed_server),
    check!(header, counts_bytes, framed_server),
    check!(pieces, reads_cut_header, framed_server, then whether_it_reads_the_header_once),
    check!(pieces, reads_body_byte_by_byte, framed_server, then whether_it_reads_the_body_once),
    check!(pieces, answers_three_in_one_segment, framed_server, then whether_it_drops_the_others),
    check!(pieces, keeps_what_follows, framed_server, then whether_it_forgets_half_a_header),
    check!(ends, ends_between_messages, framed_server),
    check!(ends, reports_cut_message, framed_server),
    check!(ends, reports_invalid_text, framed_server),
    check!(ends, outlives_reset, framed_server),
    check!(
        clients,
        answers_beside_unfinished_message,
        framed_server,
        then whether_they_wait_for_each_other
    ),
    check!(clients, keeps_messages_apart, framed_server),
    check!(conduct, reports_address_in_use, framed_server, then whether_it_ends_anyway),
    check!(conduct, reports_bad_arguments, framed_server),
];

// ---- header ----

/// The least that such a server does: the header says how long the body is, and counts nothing but
/// the body, high byte first.
fn echoes_one_message(server: &Program) -> Outcome {
    exchange_alone(server, &framed(&server.payload().letters(12)))
}

/// Finds out whether a message comes back when its header is written in another way.
fn which_header_it_takes(server: &Program, tried: Tried) -> Tried {
    let body = server.payload().letters(12);
    let is_taken = |way: &Way| {
        let message = [way.header(body.len()).as_slice(), &body].concat();
        server.succeeds_aside(|server| exchange_alone(server, &message))
    };
    let taken = Way::ALL.into_iter().filter(is_taken);
    taken.fold(tried, |tried, way| tried.with(TakesHeader(way, body.len())))
}

fn exchange_alone(server: &Program, message: &[u8]) -> Outcome {
    let running = server.launch()?;
    running.connect()?.exchange(message)
}

/// A body may have no byte at all: then the next header follows at once.
fn echoes_empty_body(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;

    for (number, length) in (1..).zip([0, 0, 5, 0]) {
        let echoed = client.exchange(&framed(&payload.letters(length)));
        echoed.map_err(|stop| stop.with(FailedAt(number)))?;
    }
    Ok(())
}

/// Both bytes of the header count, in their order, up to the largest number that they hold.
fn echoes_every_length(server: &Program) -> Outcome {
    const LENGTHS: [usize; 12] =
        [1, 2, 255, 256, 257, 300, 1024, 4096, 32_767, 32_768, 65_534, 65_535];
    let text = server.payload().letters(65_535);
    let running = server.launch()?;
    let mut client = running.connect()?;

    for length in LENGTHS {
        let echoed = client.exchange(&framed(&text[..length]));
        echoed.map_err(|stop| stop.map(|failure| of_length(failure, length)))?;
    }
    Ok(())
}

/// The length is one of bytes: a character has up to four.
fn counts_bytes(server: &Program) -> Outcome {
    let running = server.launch()?;
    let mut client = running.connect()?;

    for text in ["é", "Grüße", "世界", "😀😀😀", "naïve Ångström, 5 €"] {
        client.exchange(&framed(text.as_bytes()))?;
    }
    Ok(())
}

// ---- ends ----

/// A client may close after its last answer, or without sending: that is no error.
fn ends_between_messages(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut first = running.connect()?;
    first.exchange(&framed(&payload.letters(6)))?;
    first.close();
    // A word at its start is allowed, and is on its way.
    wait::settle(&server.context, AFTERMATH, wait::STUCK);
    let before = running.stderr().caught_up().total();

    for messages in [0, 2] {
        let mut client = running.connect()?;
        for _ in 0..messages {
            client.exchange(&framed(&payload.letters(6)))?;
        }
        client.half_close()?;
        client.expect_end(wait::REPLY)?;
        client.close();
    }
    wait::settle(&server.context, AFTERMATH, wait::STUCK);
    let stderr = running.stderr().clone();
    running.end(); // what it has said by now is complete
    match stderr.total() - before {
        0 => Ok(()),
        more => {
            let expected = "nothing on stderr when a stream ends between two messages";
            let because = "clients closed after all their messages were answered, \
                           and your server printed a message about it on stderr";
            let failure = Failure::new(expected, show(&stderr.tail(more), 80));
            Err(failure.caused_by("takes_end_for_error", because).into())
        }
    }
}

/// A fact: a connection that should have ended was open and silent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StillOpen;

/// A fact: this many replacement characters came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Replaced(pub(super) usize);

/// The end of the stream inside a message is an error: half a message is none, and no more of it
/// will come.
fn reports_cut_message(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut other = running.connect()?;
    other.exchange(&framed(&payload.letters(6)))?;

    let message = framed(&payload.letters(200));
    for (cut, place) in [(1, "inside a header"), (2, "after a header"), (100, "inside a body")] {
        let said = running.stderr().caught_up().total();
        let mut client = running.connect()?;
        client.exchange(&framed(&payload.letters(4)))?;
        client.send_pieces([&message[..cut]])?;
        client.half_close()?;
        is_closed(&client, &format!("its stream ended {place}"))?;
        says_why(&running, said, &format!("a stream ended {place}"))?;
        let what = format!("another client's stream ended {place}");
        serves_on(&running, &mut other, &mut payload, &what)?;
    }
    Ok(())
}

/// The server ends this connection, and sends nothing before it does.
fn is_closed(client: &Peer, why: &str) -> Outcome {
    const MOST: usize = 64;
    let received = client.receive(MOST, wait::REPLY)?;
    let expected = format!("the end of a client's connection, because {why}");
    let failure = |observed| Failure::new(expected, observed).at(received.snapshot);
    Err(match received.ending {
        Some(ending) if received.bytes.is_empty() && ending.is_closed() => return Ok(()),
        Some(ending) if received.bytes.is_empty() => failure(ending.to_string()).with(StillOpen),
        _ => {
            let failure = failure(format!("more bytes: {}", show(&received.bytes, 32)));
            match replaced(&received.bytes) {
                0 => failure,
                count => failure.with(Replaced(count)),
            }
        }
    }
    .into())
}

/// Returns how often the character came that decoders put in the place of invalid text.
fn replaced(came: &[u8]) -> usize {
    let replacement = char::REPLACEMENT_CHARACTER.to_string().into_bytes();
    came.windows(replacement.len()).filter(|window| *window == replacement).count()
}

fn says_why(running: &Server, said_before: usize, why: &str) -> Outcome {
    // What the program has said may still be in the pipe, so that it waits proves nothing.
    let wait = Wait::new(running.context(), wait::REPLY, Proof::Nothing);
    let said = wait_for(wait, |slice| {
        std::thread::sleep(slice.min(Duration::from_millis(2))); // another thread drains the pipe
        (running.stderr().total() > said_before).then_some(())
    });
    let expected = format!("a message on stderr, because {why}");
    Ok(said.map_err(|timeout| Failure::new(expected, "nothing on stderr").at(timeout.snapshot))?)
}

/// A client that was there before is answered, and so is one that comes now.
fn serves_on(running: &Server, other: &mut Peer, payload: &mut Payload, what: &str) -> Outcome {
    let served = Framed.ask(other, payload, 5).and_then(|()| {
        let mut next = running.connect()?;
        Framed.ask(&mut next, payload, 7)?;
        next.close();
        Ok(())
    });
    served.map_err(|stop| stop.after(what))
}

/// A body that is not text is an error of its client, and no reason for the server to panic.
fn reports_invalid_text(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut other = running.connect()?;
    other.exchange(&framed(&payload.letters(6)))?;

    for body in [b"\xff\xfe\xfd".as_slice(), b"cut: \xe2\x82"] {
        let said = running.stderr().caught_up().total();
        let why = format!("a client sent {}, which is not UTF-8", show(body, 20));
        let mut client = running.connect()?;
        client.exchange(&framed(&payload.letters(4)))?;
        client.send(&framed(body))?;
        is_closed(&client, &why)?;
        says_why(&running, said, &why)?;
        serves_on(&running, &mut other, &mut payload, &why)?;
    }
    Ok(())
}

/// A client that resets its connection inside a message ends only its own conversation.
fn outlives_reset(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut other = running.connect()?;
    other.exchange(&framed(&payload.letters(6)))?;

    for sent in [0, 1, 10] {
        let message = framed(&payload.letters(300));
        reset_at(&running, running.connect()?, |client| client.send_pieces([&message[..sent]]))?;
        let what = "another client reset its connection";
        serves_on(&running, &mut other, &mut payload, what)?;
    }
    Ok(())
}

// ---- clients ----

/// A fact: a client was not answered while another one's message was not complete.
#[derive(Debug, PartialEq, Eq)]
struct SecondWaits;

/// The beginning of one client's message, and the whole message of another.
fn unfinished_and_second(server: &Program) -> (Vec<u8>, Vec<u8>) {
    let mut payload = server.payload();
    let unfinished = framed(&payload.letters(40))[..20].to_vec();
    (unfinished, framed(&payload.letters(12)))
}

/// A client whose message is not complete keeps no other client waiting.
fn answers_beside_unfinished_message(server: &Program) -> Outcome {
    let (unfinished, message) = unfinished_and_second(server);
    let running = server.launch()?;
    let first = running.connect()?;
    first.send(&unfinished)?;

    let mut second = running.connect()?;
    second.exchange(&message).map_err(|stop| stop.with(SecondWaits))
}

/// Finds out whether the second client is served after the first one has disconnected.
fn whether_they_wait_for_each_other(server: &Program, tried: Tried) -> Tried {
    if tried.fact(|SecondWaits| Some(())).is_none() {
        return tried;
    }
    let (unfinished, message) = unfinished_and_second(server);
    whether_the_first_keeps_the_second_waiting(server, tried, &Framed, &unfinished, &message)
}

/// Half a message belongs to its client: what is kept of it must be kept for each of them.
fn keeps_messages_apart(server: &Program) -> Outcome {
    const CLIENTS: usize = 100;
    const ROUNDS: usize = 2;
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut clients = connect_one_by_one(&running, &Framed, CLIENTS, &mut payload)?;

    for _ in 0..ROUNDS {
        let messages: Vec<Vec<u8>> =
            (0..CLIENTS).map(|_| framed(&payload.message(8..=400))).collect();
        send_in_pieces(&clients, &messages)?;
        for (client, message) in clients.iter_mut().zip(&messages) {
            client.expect(message).map_err(|stop| {
                stop.map(|failure| match has_anothers_bytes(&failure, message, &messages) {
                    true => failure.with(OthersBytes),
                    false => failure,
                })
            })?;
        }
    }
    Ok(())
}

/// All clients send the first piece of their messages, then all send the second, and so on.
fn send_in_pieces(clients: &[Peer], messages: &[Vec<u8>]) -> Outcome {
    let cuts = [0, 1, 2, 6, usize::MAX];
    for cut in cuts.windows(2) {
        for (client, message) in clients.iter().zip(messages) {
            client.send(&message[cut[0].min(message.len())..cut[1].min(message.len())])?;
        }
    }
    Ok(())
}

/// The first wrong bytes stand at the same place in another client's message.
fn has_anothers_bytes(failure: &Failure, own: &[u8], messages: &[Vec<u8>]) -> bool {
    const TELLING: usize = 3;
    let Some(difference) = &failure.difference else { return false };
    let place = difference.at..difference.at + TELLING;
    let Some(wrong) = difference.wrong().get(..TELLING) else { return false };
    let others = messages.iter().filter(|message| *message != own);
    others.filter_map(|message| message.get(place.clone())).any(|there| there == wrong)
}
