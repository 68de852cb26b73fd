//! What comes back is what was sent: every byte, and no other.

use super::facts::{Greeting, LateGreeting, SilentAtFirst};
use super::pause;
use crate::engine::compare::{self, describe};
use crate::engine::program::Program;
use crate::engine::received::Received;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::engine::wait;
use crate::practicals::shared::{AFTERMATH, FailedAt};

pub(super) const SHORT: &[u8] = b"Hello, world";

/// The least that an echo server does.
pub(super) fn echoes_short_message(server: &Program) -> Outcome {
    let running = server.launch()?;
    let mut client = running.connect()?;
    client.send(SHORT)?;

    client.receive_among_others(SHORT).map(drop)
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

/// Finds out what comes late to a client that says nothing: a greeting may have several lines, and
/// pauses between them.
pub(super) fn what_comes_late(server: &Program, tried: Tried) -> Tried {
    const MOST: usize = 64 * 1024;
    let late = |server: &Program| -> Result<Vec<u8>, Stop> {
        let running = server.launch()?;
        let client = running.connect()?;
        client.whatever_comes(AFTERMATH)?;
        Ok(client.receive(MOST, wait::SILENCE)?.bytes)
    };
    let greets = tried.fact(|_: &Greeting| Some(())).is_some();
    match server.try_aside(late) {
        Ok(late) if !late.is_empty() => tried.with(LateGreeting(late)),
        Ok(_) if !greets => tried.with(SilentAtFirst),
        _ => tried,
    }
}

/// The lengths of the messages in a conversation. They get shorter, so that bytes left over in a
/// buffer show.
pub(super) const LENGTHS: [usize; 7] = [13, 5, 11, 3, 1, 14, 2];

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
