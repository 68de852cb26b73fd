//! TCP carries bytes, not messages: they are cut and joined on their way, and may have to wait.

use std::time::Duration;

use super::abilities::{Abilities, in_short};
use super::conversation::common;
use super::facts::{EndComes, RestComesWithMore, ServedOnceTheOtherHadGone, Size};
use super::full_buffers::{InFullBuffers, in_full_buffers, read_late_in_full_buffers};
use super::one_client;
use crate::engine::check::InShort;
use crate::engine::peer::Peer;
use crate::engine::program::{Program, Server};
use crate::engine::received::Ending;
use crate::engine::shrink::{self, Case};
use crate::engine::tried::Tried;
use crate::engine::verdict::{Outcome, Stop};
use crate::engine::wait;
use crate::practicals::shared::AFTERMATH;

/// How long a late reader waits before it reads, unless nothing can move earlier.
pub(super) const LATE: Duration = Duration::from_millis(500);

const SIZES: [usize; 41] = [
    1, 2, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257, 511, 512, 513,
    1000, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 8191, 8192, 8193, 16384, 32768,
    65535, 65536, 65537, 100_000,
];

/// A fact: a message of the second size was the first that did not come back; all of those before
/// it did, up to the first size.
#[derive(Debug, PartialEq, Eq)]
struct BrokeAt(usize, usize);

/// For every usual size of the server's buffer, some message is longer, and some fills it exactly.
pub(super) fn echoes_every_size(server: &Program) -> Outcome {
    let message = server.payload().stream(SIZES[SIZES.len() - 1]);
    let running = server.launch()?;
    let mut client = running.connect()?;

    let mut good = 0;
    for size in SIZES {
        client.exchange(&message[..size]).map_err(|stop| stop.with(BrokeAt(good, size)))?;
        good = size;
    }
    Ok(())
}

/// Where conversations break off, each size is the only message on its connection, or of its
/// process. Longer ones do not arrive whole: what comes of those depends on how the kernel cuts
/// them.
pub(super) fn sizes_one_by_one(server: &Program, tried: Tried) -> InShort {
    const ONE_SEGMENT: usize = 60_000;
    let can = Abilities::of(server);
    if can.converses {
        return InShort::Fails(tried);
    }
    let sizes: Vec<usize> = SIZES.into_iter().filter(|size| *size <= ONE_SEGMENT).collect();
    let together = if can.serves_next { sizes.len() } else { 1 };
    let mut good = 0;
    for sizes in sizes.chunks(together) {
        match server.try_aside(|server| each_size(server, sizes, good)) {
            Err(Some(alone)) => return InShort::Fails(alone),
            Ok(()) | Err(None) => good = sizes[sizes.len() - 1],
        }
    }
    InShort::Holds
}

/// Sends a message of each size, on a connection that carries nothing else.
fn each_size(server: &Program, sizes: &[usize], mut good: usize) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    for size in sizes.iter().copied() {
        let echoed = running.connect().and_then(|mut client| {
            client.exchange(&payload.letters(size))?;
            client.leave();
            Ok(())
        });
        echoed.map_err(|stop| stop.with(BrokeAt(good, size)))?;
        good = size;
    }
    Ok(())
}

/// Finds the smallest size that breaks the server, and what the server does with it.
pub(super) fn which_size_fails(server: &Program, tried: Tried) -> Tried {
    let Some((good, bad)) = tried.fact(|BrokeAt(good, bad)| Some((*good, *bad))) else {
        return tried;
    };
    let tried = shrink::smallest(server, good, Case::message(bad), tried, &one_client);
    match tried.failure.smallest_failing_input {
        Some(bad) => what_the_size_does(server, bad, tried),
        None => tried,
    }
}

/// Finds out what a server does with a size that breaks it, with one byte more, with the number of
/// bytes that came back, and with the next message.
fn what_the_size_does(server: &Program, bad: usize, tried: Tried) -> Tried {
    let Ok(sent) = server.try_aside(|server| send_and_go_on(server, bad)) else { return tried };
    let works =
        |size: usize| server.succeeds_aside(|server| one_client(server, &Case::message(size)));
    let came = sent.came;
    let size = Size {
        bad,
        came,
        ending: sent.ending,
        holds_so_many: came > 0 && works(came) && !works(came + 1),
        longer_works: works(bad + 1),
        goes_on: sent.goes_on,
    };
    tried.with_some(sent.rest_comes.then_some(RestComesWithMore(bad - came))).with(size)
}

/// The answers to a message and to the next one.
struct Sent {
    came: usize,
    ending: Option<Ending>,
    goes_on: bool,
    rest_comes: bool,
}

fn send_and_go_on(server: &Program, bad: usize) -> Result<Sent, Stop> {
    let mut payload = server.payload();
    let message = payload.letters(bad);
    let running = server.launch()?;
    let client = running.connect()?;
    client.send(&message)?;
    let received = client.receive(bad, wait::REPLY)?;
    let came = common(&received.bytes, &message);
    let next = payload.letters(9);
    let rest = [&message[came..], &next].concat();
    let more = match received.is_silent() {
        true => what_comes_of(&client, &next, rest.len())?,
        false => Vec::new(),
    };
    Ok(Sent { came, ending: received.ending, goes_on: more == next, rest_comes: more == rest })
}

fn what_comes_of(client: &Peer, message: &[u8], most: usize) -> Result<Vec<u8>, Stop> {
    client.send(message)?;
    Ok(client.receive(most, wait::REPLY)?.bytes)
}

/// A message that arrives one byte at a time.
fn single_bytes() -> Case {
    Case { clients: 1, messages: vec![12], piece: 1 }
}

/// A message may arrive one byte at a time, and each byte is echoed when it arrives.
pub(super) fn echoes_byte_by_byte(server: &Program) -> Outcome {
    one_client(server, &single_bytes())
}

/// Finds the shortest message, in as few pieces as possible, that breaks the server.
pub(super) fn which_pieces_fail(server: &Program, tried: Tried) -> Tried {
    shrink::smallest(server, 0, single_bytes(), tried, &one_client)
}

/// One write is not one message either: while the client does not read, a write takes only a
/// part.
pub(super) fn echoes_large_message(server: &Program) -> Outcome {
    read_late(server, &Case::message(server.large_message().len()))
}

fn read_late(server: &Program, case: &Case) -> Outcome {
    let message = &server.large_message()[..case.messages[0]];
    let running = server.launch()?;
    let mut client = running.connect()?;
    client.ask_slowly(message, message, |_| Ok(()))?;
    client.expect_nothing_after("the echo")
}

/// Sends the same to a server that ends the conversation at a short read, in full buffers.
pub(super) fn large_in_full_buffers(server: &Program, tried: Tried) -> InShort {
    in_full_buffers(server, tried, |server, full| {
        let running = server.launch()?;
        let mut client = running.connect()?;
        read_late_in_full_buffers(server, &mut client, full, || Ok(()))
    })
}

/// Finds out whether the end of the message comes, and the shortest message that breaks the server.
pub(super) fn what_is_lost_of_it(server: &Program, tried: Tried) -> Tried {
    /// An attempt may end without a result.
    const ATTEMPTS: usize = 3;
    let mut tried = tried;
    let at = tried.failure.difference.as_ref().map_or(0, |difference| difference.at);
    let is_in_full_buffers = tried.fact(|InFullBuffers| Some(())).is_some();
    if is_in_full_buffers || !server.succeeds_aside(|server| read_at_once(server, at)) {
        return tried;
    }
    if tried.ending().is_none_or(Ending::is_silence) {
        let mut attempts = (0..ATTEMPTS).map(|_| server.try_aside(end_that_comes));
        tried = tried.with_some(attempts.find_map(|end| end.ok().flatten()));
    }
    let large = Case::message(server.large_message().len());
    shrink::smallest(server, 0, large, tried, &read_late)
}

/// Exchanges a little more than these bytes in short messages. A server that fails there, too, has
/// another reason than a client that reads late.
fn read_at_once(server: &Program, bytes: usize) -> Outcome {
    const PIECE: usize = 32 * 1024;
    let message = server.large_message();
    let running = server.launch()?;
    let mut client = running.connect()?;
    let most = message.len().min(bytes + 2 * PIECE);
    message[..most].chunks(PIECE).try_for_each(|piece| client.exchange(piece))
}

/// Measures how much of a message's end comes to a client that reads only after the server has
/// taken and handled all of it. Later the server may find room for more. Returns `None` if the
/// server did not take all, or if all comes back.
fn end_that_comes(server: &Program) -> Result<Option<EndComes>, Stop> {
    let message = server.large_message();
    let running = server.launch()?;
    let client = running.connect_with_small_buffer()?;
    if client.flood(message, 1, |_| false)? < message.len() {
        return Ok(None);
    }
    client.until_taken()?;
    wait::settle(&server.context, AFTERMATH, wait::STALLED);
    let all_taken = client.is_taken();
    let came = client.receive(message.len(), wait::REPLY)?.bytes;
    let end = message.iter().rev().zip(came.iter().rev()).take_while(|(a, b)| a == b).count();
    Ok((all_taken && came.len() < message.len()).then_some(EndComes(end)))
}

/// A fact: a client got no echo while two others did not read.
#[derive(Debug, PartialEq, Eq)]
struct AnotherWaits;

/// A client that reads late and slowly still gets every byte. Neither this client nor one that
/// never reads delays the other clients.
pub(super) fn outlasts_slow_reader(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let message = server.large_message();
    let running = server.launch()?;

    let never = running.connect_with_small_buffer()?;
    never.send_what_fits(message)?;
    let mut slow = running.connect_with_small_buffer()?;
    slow.ask_slowly(message, message, |_| {
        wait::settle(&server.context, LATE, wait::STALLED);
        another_is_served(&running, &payload.letters(13))
    })
}

fn another_is_served(running: &Server, message: &[u8]) -> Outcome {
    let mut other = running.connect()?;
    other.exchange(message).map_err(|stop| {
        stop.after("two other clients sent a large message and did not read").with(AnotherWaits)
    })?;
    other.leave();
    Ok(())
}

/// Where clients are served one after another, the slow reader is alone. Where conversations end at
/// a short read, none is short.
pub(super) fn slow_reader_in_short(server: &Program, tried: Tried) -> InShort {
    let can = Abilities::of(server);
    let at_once = can.serves_at_once;
    if can.converses {
        return in_short(server, tried, |_| !at_once, slow_reader_alone);
    }
    in_full_buffers(server, tried, |server, full| {
        slow_reader_in_full_buffers(server, full, at_once)
    })
}

fn slow_reader_alone(server: &Program) -> Outcome {
    let message = server.large_message();
    let running = server.launch()?;
    let mut slow = running.connect_with_small_buffer()?;
    slow.ask_slowly(message, message, |_| {
        wait::settle(&server.context, LATE, wait::STALLED);
        Ok(())
    })
}

fn slow_reader_in_full_buffers(server: &Program, full: usize, at_once: bool) -> Outcome {
    let message = server.payload().letters(13);
    let running = server.launch()?;
    let never = at_once.then(|| running.connect_with_small_buffer()).transpose()?;
    if let Some(never) = &never {
        never.send_whole_pieces(server.large_message(), full)?;
    }
    let mut slow = running.connect_with_small_buffer()?;
    let mut pauses = 0;
    read_late_in_full_buffers(server, &mut slow, full, || {
        pauses += 1;
        if pauses > 1 {
            return Ok(());
        }
        wait::settle(&server.context, LATE, wait::STALLED);
        if at_once { another_is_served(&running, &message) } else { Ok(()) }
    })
}

/// Finds out whether a client that is not served while another one does not read is served after
/// that one has disconnected.
pub(super) fn whether_one_reader_stops_the_others(server: &Program, tried: Tried) -> Tried {
    let waits = tried.fact(|AnotherWaits| Some(())).is_some();
    let is_served = waits && server.try_aside(served_once_the_other_has_gone).unwrap_or(false);
    tried.with_some(is_served.then_some(ServedOnceTheOtherHadGone))
}

fn served_once_the_other_has_gone(server: &Program) -> Result<bool, Stop> {
    let message = server.payload().letters(13);
    let running = server.launch()?;
    let never = running.connect_with_small_buffer()?;
    never.send_what_fits(server.large_message())?;
    let mut other = running.connect()?;
    other.send(&message)?;
    let waits = !other.is_answered()?;
    never.reset();
    Ok(waits && other.expect(&message).is_ok())
}
