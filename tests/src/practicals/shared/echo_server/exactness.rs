//! What comes back is what was sent: every byte, and no other.

use super::facts::{Greeting, LateGreeting, SilentAtFirst};
use super::pause;
use crate::engine::compare::{self, describe};
use crate::engine::opening::Opening;
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
/// pauses between them. If the server only greets, all later checks read the greeting first.
pub(super) fn what_comes_late(server: &Program, tried: Tried) -> Tried {
    const MOST: usize = 64 * 1024;
    let come = |server: &Program| -> Result<(Vec<u8>, Vec<u8>), Stop> {
        let running = server.launch()?;
        let client = running.connect()?;
        let early = client.whatever_comes(AFTERMATH)?;
        Ok((early, client.receive(MOST, wait::SILENCE)?.bytes))
    };
    let greets = tried.fact(|_: &Greeting| Some(())).is_some();
    let Ok((early, late)) = server.try_aside(come) else { return tried };
    let opening = Opening::of(&[&*early, &*late].concat());
    let tried = match late.is_empty() {
        false => tried.with(LateGreeting(late)),
        true if !greets => tried.with(SilentAtFirst),
        true => tried,
    };
    set_apart(server, tried, opening)
}

/// Lets the other checks read this opening first, if nothing else is wrong with the replies.
fn set_apart(server: &Program, tried: Tried, opening: Opening) -> Tried {
    let only_greets = |server: &Program| {
        let mut payload = server.payload();
        for _ in 0..2 {
            let mut client = server.launch()?.connect()?.after(opening);
            client.exchange(&payload.letters(11))?;
            client.expect_nothing_after("the echo")?;
        }
        Ok(())
    };
    if opening == Opening::default() || !server.succeeds_aside(only_greets) {
        return tried;
    }
    server.opens_with(opening);
    let failure = tried.failure.set_apart();
    let observed = format!("{} (the other checks read past these bytes)", failure.observed);
    Tried { failure: Failure { observed, ..failure }, ..tried }
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
