//! What is tried after a check of the echo client has failed: the same steps with one difference.

use super::client::{Printed, answer, prints, start};
use crate::engine::program::Program;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Outcome, Stop};

/// A fact: what the client printed when the reply was one byte longer, and that reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OneByteMore {
    pub(super) stdout: Vec<u8>,
    pub(super) reply: Vec<u8>,
}

/// Finds out why the client does not end, or what it prints besides the reply.
pub(super) fn why_it_prints_that(client: &Program, tried: Tried) -> Tried {
    match tried.fact(|printed: &Printed| Some((printed.ended, printed.has_more()))) {
        Some((false, _)) => why_it_hangs(client, tried),
        Some((true, true)) => tried.with_some(one_byte_more(client)),
        Some((true, false)) | None => tried,
    }
}

fn one_byte_more(client: &Program) -> Option<OneByteMore> {
    let message = client.payload().letters(message(client).len() + 1);
    let reply = client.otherwise(&message);
    let ended = client.try_aside(|client| answer(client, &message, |server| server.send(&reply)));
    ended.ok().filter(|ended| ended.exit.is_ok()).map(|ended| {
        let stdout = ended.stdout();
        OneByteMore { stdout, reply }
    })
}

/// The message of `client_prints_reply`.
pub(super) fn message(client: &Program) -> Vec<u8> {
    client.payload().letters(13)
}

fn why_it_hangs(client: &Program, tried: Tried) -> Tried {
    let frees = |attempt: fn(&Program) -> Outcome| client.succeeds_aside(attempt);
    if frees(closed_after_the_reply) {
        if frees(answered_with_a_line_end) {
            return tried; // it waits for a line end, and takes the end of the stream for one
        }
        let because =
            "your client had the whole reply, but printed it only after the server closed";
        return tried.caused_by("client_waits_for_end", because);
    }
    whether_an_echo_ends_it(client, tried)
}

/// The server closes after the reply, and the client prints it then.
pub(super) fn closed_after_the_reply(client: &Program) -> Outcome {
    let message = message(client);
    let (listener, mut sender) = start(client, &message)?;
    let mut server = listener.accept(&mut sender)?;
    server.expect(&message)?;
    server.send(&client.otherwise(&message))?;
    server.close();
    prints(&sender.until_ended()?, &message, &client.otherwise(&message))
}

/// The reply is as long as ever, and its last byte is a newline.
fn answered_with_a_line_end(client: &Program) -> Outcome {
    let message = message(client);
    let mut reply = client.otherwise(&message);
    reply.pop();
    reply.push(b'\n');
    ends_after(client, &message, &reply)
}

/// Finds out whether a client that did not end after other bytes ends after its own.
pub(super) fn whether_an_echo_ends_it(client: &Program, tried: Tried) -> Tried {
    let message = message(client);
    if !client.succeeds_aside(|client| ends_after(client, &message, &message)) {
        return tried;
    }
    let because = "your client went on waiting after a reply as long as its message, \
                   but with other bytes; it ended when exactly its message came back";
    tried.caused_by("client_waits_for_match", because)
}

/// Holds when the client ends with status 0 after this reply, while the server keeps its side open.
fn ends_after(client: &Program, message: &[u8], reply: &[u8]) -> Outcome {
    let ended = answer(client, message, |server| server.send(reply))?;
    match ended.succeeded() {
        true => Ok(()),
        false => Err(Stop::from(super::client::did_not_succeed(&ended, message.len()))),
    }
}
