//! What is checked of the server that echoes messages with a header of two bytes: the length of the
//! body, unsigned, big-endian. The readable list first, then the checks; each check's comment is
//! the misconception that it detects.

pub(crate) mod mistakes;

use std::time::Duration;

use crate::engine::bench::Bench;
use crate::engine::check::{Check, check};
use crate::engine::evidence::{Clue, on_failure};
use crate::engine::patience::{self, Patience, Proof, wait_for};
use crate::engine::payload::Payload;
use crate::engine::peer::Peer;
use crate::engine::program::{Program, Server};
use crate::engine::transcript::show;
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::practicals::echo::server::{
    AFTERMATH, after, listens_on_given_address, reports_address_in_use, reports_bad_arguments,
};

pub(crate) const CHECKS: &[Check] = &[
    check!(flow, listens_on_given_address, framed_server),
    check!(header, echoes_one_message, framed_server),
    check!(header, echoes_empty_body, framed_server),
    check!(header, echoes_every_length, framed_server),
    check!(header, counts_bytes, framed_server),
    check!(pieces, reads_cut_header, framed_server),
    check!(pieces, reads_body_byte_by_byte, framed_server),
    check!(pieces, answers_three_in_one_segment, framed_server),
    check!(pieces, keeps_what_follows, framed_server),
    check!(ends, ends_between_messages, framed_server),
    check!(ends, reports_cut_message, framed_server),
    check!(ends, reports_invalid_text, framed_server),
    check!(ends, outlives_reset, framed_server),
    check!(clients, answers_beside_unfinished_message, framed_server),
    check!(clients, keeps_messages_apart, framed_server),
    check!(conduct, reports_address_in_use, framed_server),
    check!(conduct, reports_bad_arguments, framed_server),
];

/// A message as it travels: the header, then the body. Its echo is the same.
pub(crate) fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes(), body].concat()
}

// ---- header ----

/// The least that such a server does: the header says how long the body is, and counts nothing but
/// the body, high byte first.
fn echoes_one_message(server: &Program) -> Outcome {
    let body = server.bench.payload().letters(12);
    on_failure(exchange_alone(server, &framed(&body)), |failure| {
        for (way, header) in mistakes::other_headers(body.len()) {
            let message = [header.as_slice(), &body].concat();
            if server.try_aside(|server| exchange_alone(server, &message)).0.is_ok() {
                server.bench.clue(Clue::own(way, body.len()));
            }
        }
        failure.into()
    })
}

fn exchange_alone(server: &Program, message: &[u8]) -> Outcome {
    let running = server.launch()?;
    running.connect()?.exchange(message)
}

/// A body may have no byte at all: then the next header follows at once.
fn echoes_empty_body(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;

    for (at, body) in [Vec::new(), Vec::new(), payload.letters(5), Vec::new()].iter().enumerate() {
        on_failure(client.exchange(&framed(body)), |failure| {
            server.bench.clue(Clue::FailedAt(at + 1));
            failure.into()
        })?;
    }
    Ok(())
}

/// Both bytes of the header count, in their order, up to the largest number that they hold.
fn echoes_every_length(server: &Program) -> Outcome {
    const LENGTHS: [usize; 12] =
        [1, 2, 255, 256, 257, 300, 1024, 4096, 32_767, 32_768, 65_534, 65_535];
    let text = server.bench.payload().letters(65_535);
    let running = server.launch()?;
    let mut client = running.connect()?;

    for length in LENGTHS {
        client.exchange(&framed(&text[..length])).map_err(|stop| of_length(stop, length))?;
    }
    Ok(())
}

/// A failure that is about a length says so.
pub(crate) fn of_length(stop: Stop, length: usize) -> Stop {
    match stop {
        Stop::Failed(failure) => {
            let expected = format!("{}, the echo of a body of {length} bytes", failure.expected);
            Failure { expected, smallest_failing_input: Some(length), ..failure }.into()
        }
        other => other,
    }
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

// ---- pieces ----

/// Two bytes are two bytes: one read may return the first of them.
fn reads_cut_header(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;

    for length in [7, 90] {
        let message = framed(&payload.letters(length));
        let echoed = client.send_pieces([&message[..1], &message[1..2], &message[2..]]);
        on_failure(echoed.and_then(|()| client.expect(&message)), |failure| {
            in_pieces_only(server, failure)
        })?;
    }
    Ok(())
}

/// A server that fails where a message comes in pieces: is it the pause that it does not stand?
fn in_pieces_only(server: &Program, failure: Failure) -> Stop {
    let attempt = |server: &Program| {
        let mut payload = server.bench.payload();
        let running = server.launch()?;
        let mut client = running.connect()?;
        for _ in 0..2 {
            patience::let_be(&server.bench, AFTERMATH, patience::STUCK);
            client.exchange(&framed(&payload.letters(9)))?;
        }
        Ok(())
    };
    if server.try_aside(attempt).0.is_ok() {
        server.bench.clue(Clue::own(mistakes::WHOLE_AFTER_A_PAUSE, 2));
    }
    failure.into()
}

/// A body is there when as many bytes are there as the header says, however they come.
fn reads_body_byte_by_byte(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;

    for body in [payload.letters(9), "é€😀".as_bytes().to_vec()] {
        let message = framed(&body);
        let sent = client.send_pieces([&message[..2]].into_iter().chain(message[2..].chunks(1)));
        on_failure(sent.and_then(|()| client.expect(&message)), |failure| match body.is_ascii() {
            true => in_pieces_only(server, failure),
            false => failure.into(), // it may be the characters, cut in two
        })?;
    }
    Ok(())
}

/// One read may return three messages: each is a message.
fn answers_three_in_one_segment(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;

    let three = [11, 3, 6].map(|length| framed(&payload.letters(length)));
    on_failure(client.exchange(&three.concat()), |failure| {
        let came = failure.difference.as_ref().map(|difference| difference.observed_length);
        let next = framed(&payload.letters(8));
        if came == Some(three[0].len()) && client.exchange(&next).is_ok() {
            server.bench.clue(Clue::own(mistakes::LOST_WHAT_FOLLOWED, 2));
        }
        failure.into()
    })
}

/// What was read beyond the end of a message is the beginning of the next one, and is not read
/// again.
fn keeps_what_follows(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;

    for cut in [1, 2, 6] {
        let (first, second) = (framed(&payload.letters(8)), framed(&payload.letters(10)));
        let (half, rest) = second.split_at(cut);
        client.send_pieces([[first.as_slice(), half].concat().as_slice()])?;
        client.expect(&first)?;
        client.send(rest)?;
        on_failure(client.expect(&second), |failure| {
            if server.try_aside(forgets_half_a_header).0.is_ok() {
                server.bench.clue(Clue::own(mistakes::FORGOT_THE_HALF, cut));
            }
            failure.into()
        })?;
    }
    Ok(())
}

/// After a message and one byte of the next header a whole message is echoed, as if that byte had
/// not been there.
fn forgets_half_a_header(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;
    let (first, next) = (framed(&payload.letters(8)), framed(&payload.letters(10)));
    client.send_pieces([[first.as_slice(), &[0]].concat().as_slice()])?;
    client.expect(&first)?;
    client.exchange(&next)
}

// ---- ends ----

/// A client may go when its last message is answered, or without a word: that is no error.
fn ends_between_messages(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut first = running.connect()?;
    first.exchange(&framed(&payload.letters(6)))?;
    first.close();
    patience::let_be(&server.bench, AFTERMATH, patience::STUCK); // a word at its start is allowed, and is on its way
    let before = running.stderr().caught_up().total();

    for messages in [0, 2] {
        let mut client = running.connect()?;
        for _ in 0..messages {
            client.exchange(&framed(&payload.letters(6)))?;
        }
        client.half_close()?;
        client.expect_end(patience::REPLY)?;
        client.close();
    }
    patience::let_be(&server.bench, AFTERMATH, patience::STUCK);
    let stderr = running.stderr().clone();
    drop(running); // what it has said by now is whole
    match stderr.total() {
        said if said == before => Ok(()),
        said => {
            server.bench.clue(Clue::own(mistakes::SAID_SOMETHING, said - before));
            let observed = show(&stderr.tail(said - before), 80);
            Err(Failure::new(
                "nothing on stderr where a stream ends between two messages",
                observed,
            )
            .into())
        }
    }
}

/// The end of the stream inside of a message is an error: half a message is none, and no more of it
/// will come.
fn reports_cut_message(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut other = running.connect()?;
    other.exchange(&framed(&payload.letters(6)))?;

    let message = framed(&payload.letters(200));
    for (cut, place) in
        [(1, "inside of a header"), (2, "after a header"), (100, "inside of a body")]
    {
        let said = running.stderr().caught_up().total();
        let mut client = running.connect()?;
        client.exchange(&framed(&payload.letters(4)))?;
        client.send_pieces([&message[..cut]])?;
        client.half_close()?;
        is_closed(&client, &format!("its stream had ended {place}"))?;
        says_why(&running, said, &format!("a stream had ended {place}"))?;
        serves_on(
            &running,
            &mut other,
            &mut payload,
            &format!("another client's stream had ended {place}"),
        )?;
    }
    Ok(())
}

/// The server ends this connection, and sends nothing before it does.
fn is_closed(client: &Peer, why: &str) -> Outcome {
    const MOST: usize = 64;
    let received = client.receive(MOST, patience::REPLY)?;
    let observed = match received.ending {
        Some(ending) if received.bytes.is_empty() && ending.is_closed() => return Ok(()),
        Some(ending) if received.bytes.is_empty() => {
            client.bench().clue(Clue::own(mistakes::STILL_OPEN, 0));
            ending.to_string()
        }
        _ => {
            notice_replaced(client.bench(), &received.bytes);
            format!("more bytes: {}", show(&received.bytes, 32))
        }
    };
    Err(Failure::new(format!("the end of a client's connection, since {why}"), observed).into())
}

/// The character that decoders put in the place of what is no text.
fn notice_replaced(bench: &Bench, came: &[u8]) {
    let replacement = char::REPLACEMENT_CHARACTER.to_string().into_bytes();
    let count = came.windows(replacement.len()).filter(|window| *window == replacement).count();
    if count > 0 {
        bench.clue(Clue::own(mistakes::REPLACED, count));
    }
}

fn says_why(running: &Server<'_>, said_before: usize, why: &str) -> Outcome {
    // What the program has said may still be in the pipe: that it waits proves nothing.
    let said = wait_for(Patience::new(running.bench(), patience::REPLY, Proof::Nothing), |slice| {
        std::thread::sleep(slice.min(Duration::from_millis(2))); // another thread drains the pipe
        (running.stderr().total() > said_before).then_some(())
    });
    said.map_err(|_| {
        Failure::new(format!("a message on stderr, since {why}"), "nothing on stderr").into()
    })
}

/// Who was there before is answered, and so is who comes now.
fn serves_on(running: &Server<'_>, other: &mut Peer, payload: &mut Payload, what: &str) -> Outcome {
    other.exchange(&framed(&payload.letters(5))).map_err(|stop| after(stop, what))?;
    let mut next = running.connect().map_err(|stop| after(stop, what))?;
    next.exchange(&framed(&payload.letters(7))).map_err(|stop| after(stop, what))?;
    next.close();
    Ok(())
}

/// A body that is no text is an error of its client, and no panic of the server's.
fn reports_invalid_text(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut other = running.connect()?;
    other.exchange(&framed(&payload.letters(6)))?;

    for body in [b"\xff\xfe\xfd".as_slice(), b"cut: \xe2\x82"] {
        let said = running.stderr().caught_up().total();
        let why = format!("a client had sent {}, which is not UTF-8", show(body, 20));
        let mut client = running.connect()?;
        client.exchange(&framed(&payload.letters(4)))?;
        client.send(&framed(body))?;
        is_closed(&client, &why)?;
        says_why(&running, said, &why)?;
        serves_on(&running, &mut other, &mut payload, &why)?;
    }
    Ok(())
}

/// A client that resets its connection in mid-message ends its own conversation only.
fn outlives_reset(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut other = running.connect()?;
    other.exchange(&framed(&payload.letters(6)))?;

    for sent in [0, 1, 10] {
        let message = framed(&payload.letters(300));
        let client = running.connect()?;
        client.send_pieces([&message[..sent]])?;
        client.reset();
        patience::let_be(&server.bench, AFTERMATH, patience::STUCK);
        serves_on(&running, &mut other, &mut payload, "another client had reset its connection")?;
    }
    Ok(())
}

// ---- clients ----

/// A client whose message is not complete keeps nobody else waiting.
fn answers_beside_unfinished_message(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let message = framed(&payload.letters(40));
    let unfinished = running.connect()?;
    unfinished.send(&message[..20])?;

    let mut second = running.connect()?;
    let second_message = framed(&payload.letters(12));
    on_failure(second.exchange(&second_message), |failure| {
        unfinished.close();
        if second.expect(&second_message).is_ok() {
            server.bench.clue(Clue::ServedOnceTheFirstHadGone);
        }
        failure.into()
    })
}

/// Half a message belongs to its client: what is kept of it must be kept for each of them.
fn keeps_messages_apart(server: &Program) -> Outcome {
    const CLIENTS: usize = 100;
    const ROUNDS: usize = 2;
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut clients = connect_one_by_one(&running, CLIENTS, &mut payload)?;

    for _ in 0..ROUNDS {
        let messages: Vec<Vec<u8>> =
            (0..CLIENTS).map(|_| framed(&payload.message(8..=400))).collect();
        let cuts = [0, 1, 2, 6, usize::MAX];
        for cut in cuts.windows(2) {
            for (client, message) in clients.iter().zip(&messages) {
                client.send(&message[cut[0].min(message.len())..cut[1].min(message.len())])?;
            }
        }
        for (client, message) in clients.iter_mut().zip(&messages) {
            on_failure(client.expect(message), |failure| {
                if has_anothers_bytes(&failure, message, &messages) {
                    server.bench.clue(Clue::OthersBytes);
                }
                failure.into()
            })?;
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

/// Each is opened only when the one before it has been answered: a backlog of one survives that.
fn connect_one_by_one(
    running: &Server<'_>,
    clients: usize,
    payload: &mut Payload,
) -> Result<Vec<Peer>, Stop> {
    let connect = |number: usize| {
        let mut client = running.connect()?;
        let context = format!("{number} other clients had connected");
        client.exchange(&framed(&payload.letters(8))).map_err(|stop| after(stop, &context))?;
        Ok(client)
    };
    (0..clients).map(connect).collect()
}
