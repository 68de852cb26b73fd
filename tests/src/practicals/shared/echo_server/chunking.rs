//! TCP carries bytes, not messages: they are cut and joined on their way, and may have to wait.

use std::time::Duration;

use super::exactness::common;
use super::facts::{EndComes, RestComesWithMore, ServedOnceTheOtherHadGone, Size};
use super::one_client;
use crate::engine::peer::Peer;
use crate::engine::program::Program;
use crate::engine::received::Ending;
use crate::engine::shrink::{self, Case};
use crate::engine::tried::Tried;
use crate::engine::verdict::{Outcome, Stop};
use crate::engine::wait;
use crate::practicals::shared::AFTERMATH;

/// How late a late reader begins, unless nothing can move before it reads.
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

/// Whatever the server's buffer holds, some message is longer, and some fills it exactly.
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

/// Which is the smallest size that breaks it, and what comes of that one?
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

/// A size that breaks a server: what comes of one byte more, of as many as came back, and of the
/// next message?
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

/// What came of a message and of the next one.
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

/// Which is the shortest message, in as few pieces as possible, that breaks it?
pub(super) fn which_pieces_fail(server: &Program, tried: Tried) -> Tried {
    shrink::smallest(server, 0, single_bytes(), tried, &one_client)
}

/// One write is not one message either: where the client does not read yet, a write takes only a
/// part.
pub(super) fn echoes_large_message(server: &Program) -> Outcome {
    read_late(server, &Case::message(server.large_message().len()))
}

fn read_late(server: &Program, case: &Case) -> Outcome {
    let message = &server.large_message()[..case.messages[0]];
    let running = server.launch()?;
    let mut client = running.connect()?;
    client.ask_slowly(message, message, |_| Ok(()))?;
    client.expect_nothing_more()
}

/// Does at least the end of the message come, and which is the shortest that breaks it?
pub(super) fn what_is_lost_of_it(server: &Program, tried: Tried) -> Tried {
    /// Where an attempt comes to nothing, it says neither yes nor no.
    const ATTEMPTS: usize = 3;
    let mut tried = tried;
    if tried.ending().is_none_or(Ending::is_silence) {
        let mut attempts = (0..ATTEMPTS).map(|_| server.try_aside(end_that_comes));
        tried = tried.with_some(attempts.find_map(|end| end.ok().flatten()));
    }
    let large = Case::message(server.large_message().len());
    shrink::smallest(server, 0, large, tried, &read_late)
}

/// How much of a message's end comes to a client that reads once the server has taken all, and has
/// done with it what it does? Later it may find room for more. Returns `None` where not all was
/// taken, or all comes.
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

/// A client that reads late and slowly gets every byte, and costs the others nothing; nor does one
/// that never reads.
pub(super) fn outlasts_slow_reader(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let message = server.large_message();
    let running = server.launch()?;

    let never = running.connect_with_small_buffer()?;
    never.send_what_fits(message)?;
    let mut slow = running.connect_with_small_buffer()?;
    slow.ask_slowly(message, message, |_| {
        wait::settle(&server.context, LATE, wait::STALLED);
        let mut other = running.connect()?;
        let echoed = other.exchange(&payload.letters(13));
        echoed.map_err(|stop| {
            stop.after("two other clients sent a large message and did not read").with(AnotherWaits)
        })?;
        other.close();
        Ok(())
    })
}

/// A client that is not served while another one does not read: is it served when that one has
/// gone?
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
