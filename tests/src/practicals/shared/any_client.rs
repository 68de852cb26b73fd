//! Moves of any client under test. The harness plays the server.

use crate::engine::client::Client;
use crate::engine::compare;
use crate::engine::listener::{Listener, Refusing};
use crate::engine::peer::Peer;
use crate::engine::program::Program;
use crate::engine::received::Received;
use crate::engine::verdict::{Outcome, Stop};
use crate::engine::wait;
use crate::practicals::shared::reports::reports_failure;

/// Listens for the client and starts it with these arguments.
pub(crate) fn start(client: &Program, arguments: &[&[u8]]) -> Result<(Listener, Client), Stop> {
    let listener = Listener::open(client)?;
    let started = client.send_all_to(listener.address, arguments)?;
    Ok((listener, started))
}

/// Listens for the client and starts it with one message. Where the message is too long for a
/// command line of this system, the client finds it on its standard input.
pub(crate) fn start_with(client: &Program, message: &[u8]) -> Result<(Listener, Client), Stop> {
    let listener = Listener::open(client)?;
    let started = client.send_to(listener.address, message)?;
    Ok((listener, started))
}

/// Takes a failure back if the message was too long for a command line of this system, and the
/// client does not take a short line either: another check finds that.
pub(crate) fn unless_typing_fails(
    client: &Program,
    message: &[u8],
    stop: Stop,
    takes_a_line: impl FnOnce(&Program) -> Outcome,
) -> Stop {
    if client.takes_as_argument(message) || client.succeeds_aside(takes_a_line) {
        return stop;
    }
    Stop::Unseen(UNREADABLE_LINE.to_owned())
}

/// Why the reply to a long message cannot be seen.
const UNREADABLE_LINE: &str = "on this system a message of this length must come from stdin, and \
                               your client does not read a line from there";

/// Holds when no byte comes after the message.
pub(crate) fn sends_nothing_more(server: &Peer, message: &[u8]) -> Outcome {
    let more = server.receive(1024, wait::SILENCE)?.bytes;
    if more.is_empty() {
        return Ok(());
    }
    let received = Received { bytes: more, ..Received::of(message.len(), &[], None) };
    Ok(compare::same(message, &received, "the server")?)
}

/// No server listens: that deserves a message for a person, and a failure for a script.
pub(crate) fn reports_refused(client: &Program, arguments: &[&[u8]]) -> Outcome {
    let nobody = Refusing::at_address_of(client)?;
    let ended = client.send_all_to(nobody.address, arguments)?.until_ended()?;
    reports_failure(&ended, "no server is listening")
}

/// A way to cut a connection, with what the server did, in words.
type Cut = (fn(Peer), &'static str);

/// The two ways in which a server can cut a connection.
pub(crate) const CUTS: [Cut; 2] =
    [(Peer::close, "ended the stream"), (Peer::reset, "reset the connection")];
