//! What makes a server reply that is silent after a message.

use super::exactness::SHORT;
use crate::engine::program::Program;
use crate::engine::received::Ending;
use crate::engine::tried::Tried;
use crate::engine::verdict::Stop;
use crate::engine::wait::Deadline;
use std::time::Duration;

/// How long a late reply is waited for, before anything else is taken for what made it come.
pub(super) const PATIENCE: Deadline = Deadline::waiting(Duration::from_secs(4));

/// What makes a silent program reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trigger {
    /// Time alone.
    Time,
    Newline,
    EndOfStream,
    More,
    /// Nothing: it has accepted its client, and never replies.
    Never,
}

/// Finds out what makes a silent server reply.
pub(super) fn what_makes_it_reply(server: &Program, tried: Tried) -> Tried {
    if tried.ending().is_some() && reads_into_nothing(server) {
        return tried.caused_by(
            "reads_into_nothing",
            "your server reads into a buffer that has no room: it asks for 0 bytes",
        );
    }
    if !tried.ending().is_some_and(Ending::is_silence) {
        return tried;
    }
    match trigger(server) {
        Some(Trigger::Time) => tried.caused_by(
            "replies_late",
            "your server replied to a message, but only after more than 1 s",
        ),
        Some(Trigger::Newline) => tried.caused_by(
            "waits_for_newline",
            "your server did not reply to a message, but replied when a newline followed",
        ),
        Some(Trigger::EndOfStream) => tried.caused_by(
            "waits_for_end",
            "your server did not reply to a message or to a newline, \
             but replied after the client half-closed",
        ),
        Some(Trigger::Never) => tried.caused_by(
            "accepts_only",
            "your server accepted its client, \
             but did not reply to a message, a newline, 64 KiB or a half-close",
        ),
        Some(Trigger::More) | None => tried,
    }
}

/// Returns whether the server waits in a read of 0 bytes while its client is silent. That read
/// returns 0 as soon as anything comes.
fn reads_into_nothing(server: &Program) -> bool {
    let attempt = |server: &Program| {
        let running = server.launch()?;
        let client = running.connect()?;
        Ok(client.asked_for() == Some(0))
    };
    server.try_aside(attempt).unwrap_or(false)
}

fn trigger(server: &Program) -> Option<Trigger> {
    match server.try_aside(first_trigger).ok().flatten() {
        // A newline is one more byte, too.
        Some(Trigger::Newline) if replies_to(server, &[SHORT, b"x"].concat()) => {
            Some(Trigger::More)
        }
        Some(Trigger::Never) if replies_to(server, &server.payload().letters(64 * 1024)) => {
            Some(Trigger::More)
        }
        other => other,
    }
}

/// Returns `None` if the server replies to the message itself this time, or has not even
/// accepted its client.
fn first_trigger(server: &Program) -> Result<Option<Trigger>, Stop> {
    let running = server.launch()?;
    let client = running.connect()?;
    client.send(SHORT)?;
    if client.is_answered()? || !client.is_accepted() {
        return Ok(None);
    }
    if !client.receive(SHORT.len(), PATIENCE)?.bytes.is_empty() {
        return Ok(Some(Trigger::Time));
    }
    client.send(b"\n")?;
    if client.is_answered()? {
        return Ok(Some(Trigger::Newline));
    }
    client.half_close()?;
    Ok(Some(if client.is_answered()? { Trigger::EndOfStream } else { Trigger::Never }))
}

fn replies_to(server: &Program, message: &[u8]) -> bool {
    let attempt = |server: &Program| {
        let running = server.launch()?;
        let client = running.connect()?;
        client.send(message)?;
        client.is_answered()
    };
    server.try_aside(attempt).unwrap_or(false)
}
