//! What is checked of the client that sends messages with a header.
//!
//! The harness plays the server. Its replies have other bytes than the messages, and other lengths,
//! so that only their own headers say where they end.

use super::{framed, of_length};
use crate::engine::check::{Check, check};
use crate::engine::client::Client;
use crate::engine::compare::describe;
use crate::engine::difference::bytes;
use crate::engine::ended::Ended;
use crate::engine::listener::Listener;
use crate::engine::peer::Peer;
use crate::engine::program::Program;
use crate::engine::shrink;
use crate::engine::transcript::show;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::engine::wait;
use crate::observe::ProcessTree;
use crate::practicals::shared::any_client::{self, reports_refused, sends_nothing_more};
use crate::practicals::shared::reports::{reports, reports_failure};

pub(super) const CHECKS: &[Check] = &[
    check!(client, client_frames_message, framed_client),
    check!(client, client_frames_every_length, framed_client),
    check!(client, client_counts_bytes, framed_client),
    check!(client, client_prints_replies, framed_client),
    check!(client, client_gathers_pieces, framed_client, then whether_one_piece_is_printed),
    check!(client, client_keeps_what_follows, framed_client, then whether_it_drops_the_others),
    check!(client, client_reads_lines, framed_client, then whether_line_ends_follow),
    check!(client, client_refuses_long_message, framed_client, then whether_it_cuts_the_length),
    check!(client, client_reports_nobody, framed_client),
    check!(client, client_reports_cut_message, framed_client),
    check!(together, framed_programs_agree, framed_client, framed_server, then how_long_a_reply),
];

fn start(client: &Program, messages: &[&[u8]]) -> Result<(Listener, Client), Stop> {
    any_client::start(client, messages)
}

/// Makes a reply that the client cannot guess, of another length than its message.
fn reply_to(client: &Program, message: &[u8]) -> Vec<u8> {
    [client.otherwise(message).as_slice(), b"!"].concat()
}

/// The header goes first, high byte first, and counts the body alone; nothing stands before,
/// between or after.
fn client_frames_message(client: &Program) -> Outcome {
    let message = client.payload().letters(11);
    let (listener, mut sender) = start(client, &[&message])?;
    let mut server = listener.accept(&mut sender)?;

    server.expect(&framed(&message))?;
    server.send(&framed(&client.otherwise(&message)))?;
    sends_nothing_more(&server, &framed(&message))
}

/// Both bytes of the header count, in their order, up to the largest number that they hold.
fn client_frames_every_length(client: &Program) -> Outcome {
    let text = client.payload().letters(65_535);
    for length in [0, 1, 255, 256, 65_535] {
        let message = &text[..length];
        let (listener, mut sender) = any_client::start_with(client, message)?;
        let came = listener.accept(&mut sender)?.expect(&framed(message));
        came.map_err(|stop| {
            let stop = stop.map(|failure| of_length(failure, length));
            any_client::unless_typing_fails(client, message, stop, frames_a_typed_line)
        })?;
    }
    Ok(())
}

fn frames_a_typed_line(client: &Program) -> Outcome {
    let line = client.payload().letters(11);
    let listener = Listener::open(client)?;
    let typed = [line.as_slice(), b"\n"].concat();
    let mut sender = client.send_typed(listener.address, &typed, false)?;
    listener.accept(&mut sender)?.expect(&framed(&line))
}

/// The length is one of bytes: a character has up to four.
fn client_counts_bytes(client: &Program) -> Outcome {
    for text in ["Grüße", "世界", "5 € für 😀"] {
        let (listener, mut sender) = start(client, &[text.as_bytes()])?;
        listener.accept(&mut sender)?.expect(&framed(text.as_bytes()))?;
    }
    Ok(())
}

/// Each reply stands on a line, in the order of the messages; then the client closes and ends.
fn client_prints_replies(client: &Program) -> Outcome {
    let (messages, replies) = conversation(client);
    let ended = answer(client, &messages, |server| {
        messages.iter().zip(&replies).try_for_each(|(message, reply)| turn(server, message, reply))
    })?;
    prints(&ended, &replies).map_err(|failure| {
        let because =
            "the server answered with other bytes, but your client printed its own messages";
        match prints(&ended, &messages) {
            Ok(()) => failure.caused_by("client_prints_own_message", because),
            Err(_) => failure,
        }
    })?;
    Ok(())
}

/// Three messages and their replies.
fn conversation(client: &Program) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut payload = client.payload();
    let messages: Vec<Vec<u8>> =
        [9, 4, 14].into_iter().map(|length| payload.letters(length)).collect();
    let replies = messages.iter().map(|message| reply_to(client, message)).collect();
    (messages, replies)
}

/// The server receives a message and replies.
fn turn(server: &mut Peer, message: &[u8], reply: &[u8]) -> Outcome {
    server.expect(&framed(message))?;
    server.send(&framed(reply))
}

/// Starts the client, lets `server` serve it, and waits for its end. The server's side stays open
/// until the client has closed.
fn answer(
    client: &Program,
    messages: &[Vec<u8>],
    serve: impl FnOnce(&mut Peer) -> Outcome,
) -> Result<Ended, Stop> {
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let (listener, mut sender) = start(client, &messages)?;
    let mut server = listener.accept(&mut sender)?;
    serve(&mut server)?;
    server.expect_end(wait::ENDING)?;
    server.close();
    sender.until_ended()
}

/// On stdout there are these lines and nothing else, and all went well.
fn prints(ended: &Ended, lines: &[Vec<u8>]) -> Result<(), Failure> {
    let expected: Vec<u8> =
        lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect();
    let stdout = ended.stdout();
    let unix = String::from_utf8_lossy(&stdout).replace("\r\n", "\n").into_bytes();
    let (expected, observed) = if unix != expected {
        (
            format!("on stdout each reply and a line end: {}", describe(&expected)),
            format!("{}; {}", describe(&stdout), ended.describe()),
        )
    } else if !ended.succeeded() {
        ("exit status 0 after the last reply".to_owned(), ended.describe())
    } else {
        return Ok(());
    };
    Err(Failure::new(expected, observed).at(ended.snapshot.clone()))
}

/// How many bytes of a reply come one by one before the rest comes in one piece.
const SINGLE: usize = 12;

/// A reply comes in any pieces, and so does its header.
fn client_gathers_pieces(client: &Program) -> Outcome {
    answered_in_pieces(client, &"é€: 300 bytes, ".repeat(20).into_bytes(), SINGLE)
}

/// Finds out whether the client prints a reply in plain ASCII only when it comes in one piece.
fn whether_one_piece_is_printed(client: &Program, tried: Tried) -> Tried {
    let ascii = "eE: 300 bytes, ".repeat(20).into_bytes();
    let works = |single| client.succeeds_aside(|client| answered_in_pieces(client, &ascii, single));
    if works(SINGLE) || !works(0) {
        return tried;
    }
    let because = format!(
        "your client prints a reply of {} bytes that arrives in one piece, \
         but not one that arrives in several pieces",
        ascii.len()
    );
    tried.caused_by("client_one_read", because)
}

fn answered_in_pieces(client: &Program, reply: &[u8], single: usize) -> Outcome {
    let message = client.payload().letters(5);
    let ended = answer(client, std::slice::from_ref(&message), |server| {
        server.expect(&framed(&message))?;
        let bytes = framed(reply);
        let (beginning, rest) = bytes.split_at(single);
        server.send_pieces(beginning.chunks(1).chain([rest]))
    })?;
    Ok(prints(&ended, &[reply.to_vec()])?)
}

/// What was read beyond the end of a reply is the beginning of the next one.
fn client_keeps_what_follows(client: &Program) -> Outcome {
    let (messages, replies) = conversation(client);
    let ended = answer(client, &messages, |server| {
        all_replies_at_once(server, &messages, &replies)?;
        messages[1..].iter().try_for_each(|message| server.expect(&framed(message)))
    })?;
    Ok(prints(&ended, &replies)?)
}

fn all_replies_at_once(server: &mut Peer, messages: &[Vec<u8>], replies: &[Vec<u8>]) -> Outcome {
    server.expect(&framed(&messages[0]))?;
    server.send(&replies.iter().flat_map(|reply| framed(reply)).collect::<Vec<u8>>())
}

/// Finds out whether the client succeeds if all replies but the first are sent again.
fn whether_it_drops_the_others(client: &Program, tried: Tried) -> Tried {
    let (messages, replies) = conversation(client);
    let answered_again = |client: &Program| {
        let ended = answer(client, &messages, |server| {
            all_replies_at_once(server, &messages, &replies)?;
            let mut others = messages.iter().zip(&replies).skip(1);
            others.try_for_each(|(message, reply)| turn(server, message, reply))
        })?;
        Ok(prints(&ended, &replies)?)
    };
    if !client.succeeds_aside(answered_again) {
        return tried;
    }
    let lost = replies.len() - 1;
    let because = format!(
        "your client lost {lost} replies that arrived together with the first one; \
         when the server sends them again, it prints them"
    );
    tried.caused_by("client_drops_what_follows", because)
}

/// Without a MESSAGE each line is one, as soon as it was typed, without its end; the last may have
/// none.
fn client_reads_lines(client: &Program) -> Outcome {
    types_lines(client, |_, _, failure| failure)
}

/// Types lines and serves the client. Where a message does not come, `then` goes on.
fn types_lines(client: &Program, then: impl Fn(&Peer, &[u8], Failure) -> Failure) -> Outcome {
    let (messages, _) = conversation(client);
    let lines =
        [&messages[0], b"\n".as_slice(), &messages[1], b"\r\n", b"\n", &messages[2]].concat();
    let sent = [&messages[0], &messages[1], &Vec::new(), &messages[2]];

    for then_end in [true, false] {
        let listener = Listener::open(client)?;
        let mut sender = client.send_typed(listener.address, &lines, then_end)?;
        let mut server = listener.accept(&mut sender)?;
        let complete = if then_end { &sent[..] } else { &sent[..3] };
        for message in complete {
            let came = server.expect(&framed(message));
            came.map_err(|stop| stop.map(|failure| then(&server, message, failure)))?;
            server.send(&framed(&client.otherwise(message)))?;
        }
        if then_end {
            server.expect_end(wait::ENDING)?;
            server.close();
            prints(&sender.until_ended()?, &sent.map(|message| client.otherwise(message)))?;
        }
    }
    Ok(())
}

/// A fact: the end of the line came behind a message of this many bytes.
#[derive(Debug, PartialEq, Eq)]
struct SentTheLineEnd(usize);

/// Finds out whether the client sends the end of the line after a message.
fn whether_line_ends_follow(client: &Program, tried: Tried) -> Tried {
    let again = client.try_aside(|client| {
        types_lines(client, |server, message, failure| {
            let is_line_end = |rest: &Vec<u8>| rest.starts_with(b"\n") || rest.starts_with(b"\r\n");
            match server.surplus().filter(is_line_end) {
                Some(_) => failure.with(SentTheLineEnd(message.len())),
                None => failure,
            }
        })
    });
    let Err(Some(again)) = again else { return tried };
    let Some(length) = again.fact(|SentTheLineEnd(length)| Some(*length)) else { return tried };
    let because = format!("your client sent a typed line of {} with its line end", bytes(length));
    tried.shown_by(again).caused_by("client_sends_line_ends", because)
}

/// A fact: it did not refuse a message of this many bytes.
#[derive(Debug, PartialEq, Eq)]
struct TookTooLong(Vec<u8>);

/// A number of 16 bits holds no more than 65,535: what is longer is refused before anything is
/// sent.
fn client_refuses_long_message(client: &Program) -> Outcome {
    const USAGE: i32 = 2;
    let short = client.payload().letters(5);
    let long = client.payload().letters(65_536);
    let wide = "é".repeat(40_000).into_bytes();
    for message in [long, wide] {
        let (listener, sender) = start(client, &[&short, &message])?;
        let tree = sender.tree();
        let ended = sender.until_ended()?;
        let bytes = message.len();
        let expected =
            format!("a message on stderr and exit status 2, because a message has {bytes} bytes");
        let refused = reports(&ended, expected, ended.has_status(USAGE));
        let refused = refused.and_then(|()| sent_nothing(&listener, tree));
        refused.map_err(|stop| stop.with(TookTooLong(message)))?;
    }
    Ok(())
}

/// Finds out whether the client sends the message with only the lower 16 bits of its length.
fn whether_it_cuts_the_length(client: &Program, tried: Tried) -> Tried {
    let message = tried.fact(|TookTooLong(message)| Some(message.clone()));
    let Some(message) = message else { return tried };
    let cuts = |client: &Program| {
        let (listener, mut sender) = start(client, &[&message])?;
        let header = (message.len() as u16).to_be_bytes();
        listener.accept(&mut sender)?.expect(&[&header, &message[..16]].concat())
    };
    if !client.succeeds_aside(cuts) {
        return tried;
    }
    let length = message.len();
    let because =
        format!("your client sent {length} bytes with a header that says {}", length % 65_536);
    tried.caused_by("client_cuts_length", because)
}

/// The client has ended: what it sent, if it connected at all, waits to be accepted.
fn sent_nothing(listener: &Listener, client: ProcessTree) -> Outcome {
    let Some(server) = listener.accept_waiting(client)? else { return Ok(()) };
    let came = server.receive(1024, wait::REPLY)?.bytes;
    if came.is_empty() {
        return Ok(());
    }
    Err(Failure::new("no bytes from a client that refuses a message", show(&came, 32)).into())
}

/// No server listens: that deserves a message for a person, and a failure for a script.
fn client_reports_nobody(client: &Program) -> Outcome {
    reports_refused(client, &[b"Hello, world"])
}

/// Half a reply is no reply, and the end of the stream where a reply is due is an error.
fn client_reports_cut_message(client: &Program) -> Outcome {
    let message = client.payload().letters(20);
    let reply = framed(&reply_to(client, &message));
    for (cut, place) in [(0, "before a reply"), (1, "inside a header"), (9, "inside a body")] {
        let (listener, mut sender) = start(client, &[&message])?;
        let mut server = listener.accept(&mut sender)?;
        server.expect(&framed(&message))?;
        server.send_pieces([&reply[..cut]])?;
        server.close();

        reports_failure(&sender.until_ended()?, &format!("the stream ended {place}"))?;
    }
    Ok(())
}

/// The longest message that both programs exchange.
const LONG: usize = 30_000;

/// Both together do what each does alone.
fn framed_programs_agree(client: &Program, server: &Program) -> Outcome {
    let mut payload = client.payload();
    let running = server.launch_for(client)?;

    let text = "Grüße, 世界".as_bytes().to_vec();
    let messages = [payload.letters(12), text, Vec::new(), payload.letters(LONG)];
    let arguments: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let ended = client.send_all_to(running.address, &arguments)?.until_ended()?;
    Ok(prints(&ended, &messages).map_err(|failure| failure.with(PrintsOtherwise))?)
}

/// A fact: the client did not print what the server had echoed.
#[derive(Debug, PartialEq, Eq)]
struct PrintsOtherwise;

/// How long is the longest reply that the client prints? Where the server did not listen, that is
/// no question.
fn how_long_a_reply(client: &Program, _: &Program, tried: Tried) -> Tried {
    if tried.fact(|PrintsOtherwise| Some(())).is_none() {
        return tried;
    }
    let prints_it = |length| client.succeeds_aside(|client| prints_reply_of(client, length));
    let Some(longest) = shrink::largest_that_works(LONG, prints_it) else { return tried };
    let because = format!(
        "your client prints a reply of {}, but not one of {}",
        bytes(longest),
        bytes(longest + 1)
    );
    tried.caused_by("client_small_buffer", because)
}

/// The harness itself sends a reply of this length.
fn prints_reply_of(client: &Program, length: usize) -> Outcome {
    let reply = client.payload().letters(length);
    let message = client.payload().letters(5);
    let ended =
        answer(client, std::slice::from_ref(&message), |server| turn(server, &message, &reply))?;
    Ok(prints(&ended, &[reply])?)
}
