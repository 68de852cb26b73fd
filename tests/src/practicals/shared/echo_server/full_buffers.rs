//! A long stream for a server that ends a conversation at its first short read: none is short.
//!
//! Where the size of the server's buffer is known, every write is a multiple of it. Each arrives
//! whole and is taken before the next goes, so it does not matter how the kernel cuts the stream.

use super::abilities::Abilities;
use crate::engine::check::InShort;
use crate::engine::peer::Peer;
use crate::engine::program::Program;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Outcome, Stop};
use crate::engine::wait;

/// The check without which a result means nothing where no such stream can be sent.
const CONVERSES: &str = "echoes_message_after_message";

/// A fact: every read of this stream fills the server's buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InFullBuffers;

/// Tries the same with full buffers, if the server ends a conversation at its first short read.
/// `attempt` gets the number of bytes that fill its buffer some number of times.
pub(super) fn in_full_buffers(
    server: &Program,
    tried: Tried,
    attempt: impl Fn(&Program, usize) -> Outcome,
) -> InShort {
    /// A timer of the kernel may cut a write once in hundreds of streams.
    const ATTEMPTS: usize = 3;
    if Abilities::of(server).converses {
        return InShort::Fails(tried);
    }
    let Some(full) = server.try_aside(fills_its_buffer).ok().flatten() else {
        return InShort::Needs(CONVERSES);
    };
    let mut last = tried;
    for _ in 0..ATTEMPTS {
        match server.try_aside(|server| attempt(server, full)) {
            Ok(()) => return InShort::Holds,
            Err(shorter) => last = shorter.unwrap_or(last),
        }
    }
    InShort::Fails(last.with(InFullBuffers))
}

/// Returns the length of a message that fills the server's buffer some number of times. Returns
/// `None` where that is not known, where the conversation ends there, too, or where the server
/// answers a second short message with other bytes: then a stream tells nothing.
fn fills_its_buffer(server: &Program) -> Result<Option<usize>, Stop> {
    /// The kernel hands over a write up to this length in one piece.
    const ONE_SEGMENT: usize = 64_000;
    let mut payload = server.payload();
    if answers_otherwise(server, &payload.letters(9), &payload.letters(5))? {
        return Ok(None);
    }
    let running = server.launch()?;
    let mut client = running.connect()?;
    let Some(size) = client.asked_for().filter(|size| (1..=ONE_SEGMENT).contains(size)) else {
        return Ok(None);
    };
    let full = ONE_SEGMENT / size * size;
    for _ in 0..3 {
        client.exchange(&payload.letters(full))?;
    }
    Ok(Some(full))
}

/// Returns whether anything comes back for a second message but its own bytes.
fn answers_otherwise(server: &Program, first: &[u8], second: &[u8]) -> Result<bool, Stop> {
    let running = server.launch()?;
    let mut client = running.connect()?;
    client.exchange(first)?;
    client.send(second)?;
    let came = client.receive(second.len(), wait::REPLY)?.bytes;
    Ok(!second.starts_with(&came))
}

/// Sends as much as the server and the buffers between take, reads all of that, and goes on so
/// until the large message is through. `pause` comes before the first byte is read.
pub(super) fn read_late_in_full_buffers(
    server: &Program,
    client: &mut Peer,
    full: usize,
    mut pause: impl FnMut() -> Outcome,
) -> Outcome {
    let message = server.large_message();
    let mut rest = &message[..message.len() / full * full];
    while !rest.is_empty() {
        let sent = client.send_whole_pieces(rest, full)?;
        pause()?;
        client.expect_stream(&rest[..sent])?;
        rest = &rest[sent..];
    }
    Ok(())
}
