//! What is checked of the client that sends messages with a header. The harness plays the server;
//! its replies have other bytes than the messages, and other lengths, so that only their own
//! headers say where they end.

pub(crate) mod mistakes;

use crate::engine::check::{Check, check};
use crate::engine::evidence::{Clue, on_failure};
use crate::engine::patience;
use crate::engine::payload::otherwise;
use crate::engine::peer::{Host, Peer};
use crate::engine::program::{Client, Ended, Program};
use crate::engine::transcript::show;
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::engine::{compare, shrink};
use crate::observe::Tree;
use crate::practicals::echo::client::{nobody_listens, sends_nothing_more};
use crate::practicals::echo::server::reports;
use crate::practicals::framing::server::{framed, of_length};

pub(crate) const CHECKS: &[Check] = &[
    check!(client, client_frames_message, framed_client),
    check!(client, client_frames_every_length, framed_client),
    check!(client, client_counts_bytes, framed_client),
    check!(client, client_prints_replies, framed_client),
    check!(client, client_gathers_pieces, framed_client),
    check!(client, client_keeps_what_follows, framed_client),
    check!(client, client_reads_lines, framed_client),
    check!(client, client_refuses_long_message, framed_client),
    check!(client, client_reports_nobody, framed_client),
    check!(client, client_reports_cut_message, framed_client),
    check!(together, framed_programs_agree, framed_client, framed_server),
];

fn start(client: &Program, messages: &[&[u8]]) -> Result<(Host, Client), Stop> {
    let host = Host::listen(&client.bench)?;
    let sender = client.send_all_to(host.address, messages)?;
    Ok((host, sender))
}

/// An answer that nobody can give who has not received it, and of another length than its message.
fn reply_to(message: &[u8]) -> Vec<u8> {
    [otherwise(message).as_slice(), b"!"].concat()
}

/// The header goes first, high byte first, and counts the body alone; nothing stands before,
/// between or after.
fn client_frames_message(client: &Program) -> Outcome {
    let message = client.bench.payload().letters(11);
    let (host, mut sender) = start(client, &[&message])?;
    let mut server = host.accept(&mut sender)?;

    server.expect(&framed(&message))?;
    server.send(&framed(&otherwise(&message)))?;
    sends_nothing_more(&server, &framed(&message))
}

/// Both bytes of the header count, in their order, up to the largest number that they hold.
fn client_frames_every_length(client: &Program) -> Outcome {
    let text = client.bench.payload().letters(65_535);
    for length in [0, 1, 255, 256, 65_535] {
        let message = &text[..length];
        let (host, mut sender) = start(client, &[message])?;
        host.accept(&mut sender)?
            .expect(&framed(message))
            .map_err(|stop| of_length(stop, length))?;
    }
    Ok(())
}

/// The length is one of bytes: a character has up to four.
fn client_counts_bytes(client: &Program) -> Outcome {
    for text in ["Grüße", "世界", "5 € für 😀"] {
        let (host, mut sender) = start(client, &[text.as_bytes()])?;
        host.accept(&mut sender)?.expect(&framed(text.as_bytes()))?;
    }
    Ok(())
}

/// Each reply on a line of its own, in the order of the messages; then the client closes and ends.
fn client_prints_replies(client: &Program) -> Outcome {
    let messages = messages(client);
    let replies: Vec<Vec<u8>> = messages.iter().map(|message| reply_to(message)).collect();
    let ended = answer(client, &messages, |server| {
        messages.iter().zip(&replies).try_for_each(|(message, reply)| {
            server.expect(&framed(message))?;
            server.send(&framed(reply))
        })
    })?;
    on_failure(prints(&ended, &replies), |failure| {
        if prints(&ended, &messages).is_ok() {
            client.bench.clue(Clue::own(mistakes::PRINTED_ITS_OWN, messages.len()));
        }
        failure.into()
    })
}

fn messages(client: &Program) -> Vec<Vec<u8>> {
    let mut payload = client.bench.payload();
    [9, 4, 14].into_iter().map(|length| payload.letters(length)).collect()
}

/// Starts the client, lets `server` serve it, and waits for its end; the server's side stays open
/// until the client has closed.
fn answer(
    client: &Program,
    messages: &[Vec<u8>],
    serve: impl FnOnce(&mut Peer) -> Outcome,
) -> Result<Ended, Stop> {
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let (host, mut sender) = start(client, &messages)?;
    let mut server = host.accept(&mut sender)?;
    serve(&mut server)?;
    server.expect_end(patience::ENDING)?;
    server.close();
    sender.until_ended()
}

/// On stdout there are these lines and nothing else, and all went well.
fn prints(ended: &Ended, lines: &[Vec<u8>]) -> Outcome {
    let expected: Vec<u8> =
        lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect();
    let stdout = ended.stdout.whole().unwrap_or_else(|| ended.stdout.tail(4096));
    let unix: Vec<u8> = String::from_utf8_lossy(&stdout).replace("\r\n", "\n").into_bytes();
    if unix != expected {
        let expected =
            format!("on stdout each reply and a line end: {}", compare::describe(&expected));
        return Err(Failure::new(
            expected,
            format!("{}, {}", compare::describe(&stdout), ended.describe()),
        )
        .into());
    }
    if ended.exit.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(Failure::new("exit status 0 after the last reply", ended.describe()).into())
}

/// A reply comes in any pieces, its header, too.
fn client_gathers_pieces(client: &Program) -> Outcome {
    let reply = "é€: 300 bytes, ".repeat(20).into_bytes();
    on_failure(answered_in_pieces(client, &reply, 12), |failure| {
        let ascii = "eE: 300 bytes, ".repeat(20).into_bytes();
        let in_pieces = client.try_aside(|client| answered_in_pieces(client, &ascii, 12)).0.is_ok();
        if !in_pieces && client.try_aside(|client| answered_in_pieces(client, &ascii, 0)).0.is_ok()
        {
            client.bench.clue(Clue::own(mistakes::WHOLE_ONLY, ascii.len()));
        }
        failure.into()
    })
}

/// So many bytes of the answer come one by one, the rest in one piece.
fn answered_in_pieces(client: &Program, reply: &[u8], single: usize) -> Outcome {
    let message = client.bench.payload().letters(5);
    let ended = answer(client, std::slice::from_ref(&message), |server| {
        server.expect(&framed(&message))?;
        let bytes = framed(reply);
        let (beginning, rest) = bytes.split_at(single);
        server.send_pieces(beginning.chunks(1).chain([rest]))
    })?;
    prints(&ended, &[reply.to_vec()])
}

/// What was read beyond the end of a reply is the beginning of the next one.
fn client_keeps_what_follows(client: &Program) -> Outcome {
    let messages = messages(client);
    let replies: Vec<Vec<u8>> = messages.iter().map(|message| reply_to(message)).collect();
    let ended = answer(client, &messages, |server| {
        server.expect(&framed(&messages[0]))?;
        server.send(&replies.iter().flat_map(|reply| framed(reply)).collect::<Vec<u8>>())?;
        messages[1..].iter().try_for_each(|message| server.expect(&framed(message)))
    });
    on_failure(ended.and_then(|ended| prints(&ended, &replies)), |failure| {
        if client
            .try_aside(|client| goes_on_when_answered_again(client, &messages, &replies))
            .0
            .is_ok()
        {
            client.bench.clue(Clue::own(mistakes::LOST_WHAT_FOLLOWED, replies.len() - 1));
        }
        failure.into()
    })
}

/// All replies come at once, and those after the first come again: all is well then.
fn goes_on_when_answered_again(
    client: &Program,
    messages: &[Vec<u8>],
    replies: &[Vec<u8>],
) -> Outcome {
    let ended = answer(client, messages, |server| {
        server.expect(&framed(&messages[0]))?;
        server.send(&replies.iter().flat_map(|reply| framed(reply)).collect::<Vec<u8>>())?;
        messages.iter().zip(replies).skip(1).try_for_each(|(message, reply)| {
            server.expect(&framed(message))?;
            server.send(&framed(reply))
        })
    })?;
    prints(&ended, replies)
}

/// Without a MESSAGE each line is one, as soon as it was typed, without its end; the last may have
/// none.
fn client_reads_lines(client: &Program) -> Outcome {
    let messages = messages(client);
    let lines =
        [&messages[0], b"\n".as_slice(), &messages[1], b"\r\n", b"\n", &messages[2]].concat();
    let sent = [&messages[0], &messages[1], &Vec::new(), &messages[2]];

    for then_end in [true, false] {
        let host = Host::listen(&client.bench)?;
        let mut sender = client.send_typed(host.address, &lines, then_end)?;
        let mut server = host.accept(&mut sender)?;
        let complete = if then_end { &sent[..] } else { &sent[..3] };
        for message in complete {
            on_failure(server.expect(&framed(message)), |failure| {
                if server
                    .surplus()
                    .is_some_and(|rest| rest.starts_with(b"\n") || rest.starts_with(b"\r\n"))
                {
                    client.bench.clue(Clue::own(mistakes::SENT_THE_LINE_END, message.len()));
                }
                failure.into()
            })?;
            server.send(&framed(&otherwise(message)))?;
        }
        if then_end {
            server.expect_end(patience::ENDING)?;
            server.close();
            prints(&sender.until_ended()?, &sent.map(|message| otherwise(message)))?;
        }
    }
    Ok(())
}

/// A number of 16 bits holds no more than 65,535: what is longer is refused before anything is
/// sent.
fn client_refuses_long_message(client: &Program) -> Outcome {
    const USAGE: i32 = 2;
    let short = client.bench.payload().letters(5);
    let long = client.bench.payload().letters(65_536);
    let wide = "é".repeat(40_000).into_bytes();
    for message in [&long, &wide] {
        let (host, sender) = start(client, &[&short, message])?;
        let tree = sender.tree();
        let ended = sender.until_ended()?;
        let expected = format!(
            "a message on stderr and exit status 2, since a message has {} bytes",
            message.len()
        );
        let right_status = ended.exit.is_ok_and(|status| status.code() == Some(USAGE));
        let refused = reports(&client.bench, &ended, expected, right_status);
        on_failure(refused.and_then(|()| sent_nothing(&host, tree)), |failure| {
            if client.try_aside(|client| cuts_its_length(client, message)).0.is_ok() {
                client.bench.clue(Clue::own(mistakes::LENGTH_CUT, message.len()));
            }
            failure.into()
        })?;
    }
    Ok(())
}

/// The message goes out, and in its header stands what 16 bits hold of its length.
fn cuts_its_length(client: &Program, message: &[u8]) -> Outcome {
    let (host, mut sender) = start(client, &[message])?;
    let header = (message.len() as u16).to_be_bytes();
    host.accept(&mut sender)?.expect(&[&header, &message[..16]].concat())
}

/// The client has ended: what it sent, if it connected at all, waits to be accepted.
fn sent_nothing(host: &Host, client: Tree) -> Outcome {
    let Some(server) = host.accept_waiting(client)? else { return Ok(()) };
    let came = server.receive(1024, patience::REPLY)?.bytes;
    if came.is_empty() {
        return Ok(());
    }
    Err(Failure::new("no byte from a client that refuses a message", show(&came, 32)).into())
}

/// Nobody listens: that is a message for a person, and a failure for a script.
fn client_reports_nobody(client: &Program) -> Outcome {
    let (_nobody, address) = nobody_listens(client)?;
    let ended = client.send_to(address, b"Hello, world")?.until_ended()?;

    let expected =
        "a message on stderr and an exit status other than 0, since nobody listens".to_owned();
    reports(&client.bench, &ended, expected, ended.exit.is_ok_and(|status| !status.success()))
}

/// Half a reply is no reply, and the end of the stream where a reply is due is an error.
fn client_reports_cut_message(client: &Program) -> Outcome {
    let message = client.bench.payload().letters(20);
    let reply = framed(&reply_to(&message));
    for (cut, place) in [(0, "before a reply"), (1, "inside of a header"), (9, "inside of a body")]
    {
        let (host, mut sender) = start(client, &[&message])?;
        let mut server = host.accept(&mut sender)?;
        server.expect(&framed(&message))?;
        server.send_pieces([&reply[..cut]])?;
        server.close();

        let ended = sender.until_ended()?;
        let expected = format!(
            "a message on stderr and an exit status other than 0, since the stream ended {place}"
        );
        reports(&client.bench, &ended, expected, ended.exit.is_ok_and(|status| !status.success()))?;
    }
    Ok(())
}

/// Both together do what each does alone.
fn framed_programs_agree(client: &Program, server: &Program) -> Outcome {
    const LONG: usize = 30_000;
    let mut payload = client.bench.payload();
    let running = server.launch()?;

    let messages =
        [payload.letters(12), "Grüße, 世界".as_bytes().to_vec(), Vec::new(), payload.letters(LONG)];
    let arguments: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let ended = client.send_all_to(running.address, &arguments)?.until_ended()?;
    on_failure(prints(&ended, &messages), |failure| {
        let prints_it =
            |length| client.try_aside(|client| prints_reply_of(client, length)).0.is_ok();
        if let Some(longest) = shrink::largest_that_works(LONG, prints_it) {
            client.bench.clue(Clue::own(mistakes::LONGEST_REPLY, longest));
        }
        failure.into()
    })
}

/// A reply of so many bytes, from the harness itself.
fn prints_reply_of(client: &Program, length: usize) -> Outcome {
    let reply = client.bench.payload().letters(length);
    let message = client.bench.payload().letters(5);
    let ended = answer(client, std::slice::from_ref(&message), |server| {
        server.expect(&framed(&message))?;
        server.send(&framed(&reply))
    })?;
    prints(&ended, &[reply])
}
