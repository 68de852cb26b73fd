//! How a conversation ends, and what a server does afterwards: it closes, lives on, and rests.

use std::sync::Arc;
use std::time::Duration;

use super::abilities::Abilities;
use super::chunking::LATE;
use super::clients::serves_next_client;
use super::departures::{Departure, serves_after, stops_after_one, whether_it_reads_on};
use super::facts::{HalfClose, LeftOpen, ListensAgainWithNothingLeft};
use crate::engine::check::InShort;
use crate::engine::compare;
use crate::engine::payload::Payload;
use crate::engine::peer::Peer;
use crate::engine::program::{Program, Server};
use crate::engine::received::{Ending, Received};
use crate::engine::snapshot::Snapshot;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::engine::wait::{self, Proof, Wait, wait_for};
use crate::observe::{ProcessTree, SocketCounts};
use crate::practicals::shared::AFTERMATH;
use crate::practicals::shared::clients::{connect_one_by_one, reset_at};
use crate::practicals::shared::dialogue::Echo;
use crate::practicals::shared::rest::{Busy, BusyWithNobodyGone, uses_little_time};

/// The end of the client's stream is no reason to forget what the client is still owed. It comes
/// together with the last bytes, or when everything has been taken.
pub(super) fn flushes_before_close(server: &Program) -> Outcome {
    flushes_short_messages(server)?;
    flushes_at_once(server, &server.payload().letters(20_000))?;
    flushes_later(server, server.large_message())
}

fn flushes_short_messages(server: &Program) -> Outcome {
    let message = server.payload().letters(13);
    flushes_at_once(server, &message)?;
    flushes_later(server, &message)
}

/// What `printf hi | nc -N HOST PORT` does: the end of the stream comes with the last bytes.
fn flushes_at_once(server: &Program, message: &[u8]) -> Outcome {
    let running = server.launch()?;
    let mut client = running.connect()?;
    flushes(message, client.ask_and_half_close_at_once(message, message)?)
}

fn flushes_later(server: &Program, message: &[u8]) -> Outcome {
    let running = server.launch()?;
    let mut client = running.connect_with_small_buffer()?;
    flushes(message, client.ask_and_half_close(message, message, LATE)?)
}

fn flushes(message: &[u8], received: Received) -> Outcome {
    let complete = received.is_all_of(message);
    let fact = HalfClose { sent: message.len(), complete, ending: received.ending };
    let came = comes_back_and_ends(message, received);
    Ok(came.map_err(|failure| failure.maybe_of_a_death().with(fact))?)
}

/// Where the same message does not come back without a half-close either, or conversations break
/// off, a short one decides.
pub(super) fn flushes_what_it_can(server: &Program, tried: Tried) -> InShort {
    let lost = tried.fact(|half: &HalfClose| (!half.complete).then_some(half.sent));
    let comes_back = |sent| server.succeeds_aside(|server| comes_back_late(server, sent));
    match lost {
        Some(sent) if !(Abilities::of(server).converses && comes_back(sent)) => {}
        _ => return InShort::Fails(tried),
    }
    match server.try_aside(flushes_short_messages) {
        Ok(()) => InShort::Holds,
        Err(shorter) => InShort::Fails(shorter.unwrap_or(tried)),
    }
}

/// Holds when as many bytes come back to a client that reads late and does not half-close.
fn comes_back_late(server: &Program, bytes: usize) -> Outcome {
    let message = &server.large_message()[..bytes];
    let running = server.launch()?;
    running.connect_with_small_buffer()?.ask_slowly(message, message, |_| Ok(()))
}

fn comes_back_and_ends(message: &[u8], received: Received) -> Result<(), Failure> {
    if !received.is_all_of(message) {
        return compare::same(message, &received, "a client that has half-closed");
    }
    let observed = match received.ending {
        Some(Ending::EndOfStream) => return Ok(()),
        Some(ending) => ending.to_string(),
        None => "more bytes".to_owned(),
    };
    let expected = "end of stream after the echo, because the client half-closed";
    Err(Failure::new(expected, observed).at(received.snapshot))
}

/// A client that is gone costs nothing any more: its socket is closed, not left in CLOSE_WAIT.
pub(super) fn closes_after_client(server: &Program) -> Outcome {
    lets_go(server, 5)
}

/// Where the server does not serve all of the clients, two decide.
pub(super) fn closes_after_few(server: &Program, tried: Tried) -> InShort {
    if tried.fact(|_: &LeftOpen| Some(())).is_some() {
        return InShort::Fails(tried);
    }
    match server.try_aside(|server| lets_go(server, 1)) {
        Ok(()) => InShort::Holds,
        Err(Some(shorter)) if shorter.fact(|_: &LeftOpen| Some(())).is_some() => {
            InShort::Fails(shorter)
        }
        Err(_) => InShort::Needs("serves_next_client"),
    }
}

fn lets_go(server: &Program, clients: usize) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let before = running.see(ProcessTree::sockets)?;

    connect_exchange_and_close(&running, 1, &mut payload)?;
    let (after_one, _) = settled(&running, before.held)?;
    connect_exchange_and_close(&running, clients, &mut payload)?;
    let (after_all, snapshot) = settled(&running, after_one.held)?;

    let SocketCounts { held, half_closed } = after_all.plus(put_aside(&running)?);
    if held <= after_one.held && half_closed == 0 {
        return Ok(());
    }
    let first = before.held.min(after_one.held);
    let expected = format!(
        "as many sockets as after the first client disconnected ({first}), \
         2 s after {clients} more disconnected"
    );
    let observed = format!(
        "{held} sockets, {half_closed} of them in CLOSE_WAIT: \
         the clients closed them, but your server did not"
    );
    Err(Failure::new(expected, observed).at(snapshot).with(LeftOpen(half_closed)).into())
}

/// Returns the sockets that the server keeps without a descriptor. That is visible only in a
/// private network.
fn put_aside(running: &Server) -> Result<SocketCounts, Stop> {
    if !running.context().place.network().is_private() {
        return Ok(SocketCounts { held: 0, half_closed: 0 });
    }
    running.see(|tree| tree.sockets_put_aside())
}

fn connect_exchange_and_close(running: &Server, clients: usize, payload: &mut Payload) -> Outcome {
    for _ in 0..clients {
        let mut client = running.connect()?;
        client.exchange(&payload.letters(7))?;
        client.leave();
    }
    Ok(())
}

/// Returns the sockets that the server holds once it has let go of all but `wanted`, or when its
/// time for that is over; then with where it was.
fn settled(running: &Server, wanted: usize) -> Result<(SocketCounts, Option<Arc<Snapshot>>), Stop> {
    let mut last = None;
    let mut snapshot = None;
    let mut until = |proof: Proof, reached: fn(SocketCounts, usize) -> bool| {
        let wait = Wait::new(running.context(), wait::LETTING_GO, proof);
        let waited = wait_for(wait, |slice| {
            // Another process's close gives no notice.
            std::thread::sleep(slice.min(Duration::from_millis(5)));
            last = running.tree().sockets();
            reached(last?, wanted).then_some(())
        });
        snapshot = waited.err().and_then(|timeout| timeout.snapshot).or(snapshot.take());
        last
    };
    // While an end of stream may be under way, a server that waits proves nothing.
    let arrived = |now: SocketCounts, wanted| now.held.saturating_sub(now.half_closed) <= wanted;
    let let_go = |now: SocketCounts, wanted| now.held <= wanted && now.half_closed == 0;
    until(Proof::Nothing, arrived);
    let sockets = match until(wait::STUCK, let_go) {
        Some(sockets) => sockets,
        None => running.see(ProcessTree::sockets)?,
    };
    Ok((sockets, snapshot))
}

/// A client may come and go without a word.
pub(super) fn survives_empty_connection(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;

    for _ in 0..3 {
        running.connect()?.close();
        wait::settle(&server.context, AFTERMATH, wait::STUCK);
    }
    let last = running.connect()?.exchange(&payload.letters(12));
    last.map_err(|stop| stop.after("other clients connected and closed without sending"))
}

/// Where the server ends after a number of clients, one that says nothing decides.
pub(super) fn survives_one_empty(server: &Program, tried: Tried) -> InShort {
    if stops_after_one(server, Departure::AfterAnEcho) {
        return InShort::Needs("serves_next_client");
    }
    let empty = |server: &Program| {
        let outcome = serves_after(server, 1, Departure::WithoutAWord);
        outcome.map_err(|stop| stop.after("another client connected and closed without sending"))
    };
    match server.try_aside(empty) {
        Ok(()) => unless_it_counts(server, tried),
        Err(shorter) => InShort::Fails(shorter.unwrap_or(tried)),
    }
}

/// Where clients that close after an echo stop the server, too, only their number is to blame. The
/// same conversation decides in both checks: what is taken back here is lost there.
fn unless_it_counts(server: &Program, tried: Tried) -> InShort {
    match server.try_aside(serves_next_client) {
        Err(Some(_)) => InShort::Holds,
        Ok(()) | Err(None) => InShort::Fails(tried),
    }
}

/// A moment in a client's life, and how to come to it.
type Moment = (&'static str, fn(&mut Peer) -> Outcome);

/// The moments at which a client resets its connection, in words that follow "a client reset its
/// connection".
const MOMENTS: [Moment; 5] = [
    (AT_ONCE, |_| Ok(())),
    ("after it sent a message, before it read the echo", |client| client.send(b"unread")),
    ("right after it read the echo", |client| client.exchange(b"Hello, world")),
    ("while your server waited for its next message", |client| {
        client.exchange(b"Hello, world")?;
        wait::settle(client.context(), AFTERMATH, wait::STUCK);
        Ok(())
    }),
    ("while your server still had to send most of a large echo", |client| {
        client.send_what_fits(client.context().payloads.large_message())
    }),
];

const AT_ONCE: &str = "right after it connected";

/// A client may reset its connection at any moment; that is its own affair.
pub(super) fn survives_reset(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    for (moment, until) in MOMENTS {
        survives_one(&running, &mut payload, moment, until)?;
    }
    others_survive_reset(&running, &mut payload)
}

fn survives_one(
    running: &Server,
    payload: &mut Payload,
    moment: &str,
    until: impl FnOnce(&mut Peer) -> Outcome,
) -> Outcome {
    let context = format!("a client reset its connection {moment}");
    let client = running.connect().map_err(|stop| stop.after(&context))?;
    reset_at(running, client, until)?;
    let next = running.connect().and_then(|mut next| next.exchange(&payload.letters(12)));
    next.map_err(|stop| stop.after(&context))
}

/// Tries each moment with a fresh process, where a client that closes does no harm.
pub(super) fn survives_one_reset(server: &Program, tried: Tried) -> InShort {
    if stops_after_one(server, Departure::AfterAnEcho) {
        return InShort::Needs("serves_next_client");
    }
    if stops_after_one(server, Departure::WithItsMessage) {
        return InShort::Needs("flushes_before_close");
    }
    let can = Abilities::of(server);
    let survives_empty = !stops_after_one(server, Departure::WithoutAWord);
    for (moment, until) in MOMENTS {
        if moment == AT_ONCE && !survives_empty {
            continue;
        }
        let alone = |server: &Program| {
            let running = server.launch()?;
            let until = |client: &mut Peer| match until(client) {
                // A server that ends conversations early is another check's matter.
                Err(Stop::Failed(_)) if !can.converses => Ok(()),
                outcome => outcome,
            };
            survives_one(&running, &mut server.payload(), moment, until)
        };
        if let Err(Some(alone)) = server.try_aside(alone) {
            return InShort::Fails(alone);
        }
    }
    let others = |server: &Program| others_survive_reset(&server.launch()?, &mut server.payload());
    if !can.converses || !can.serves_at_once || !survives_empty {
        return InShort::Holds;
    }
    match server.try_aside(others) {
        Ok(()) => unless_it_counts(server, tried),
        Err(shorter) => InShort::Fails(shorter.unwrap_or(tried)),
    }
}

/// A client that was there before is served on when another resets.
fn others_survive_reset(running: &Server, payload: &mut Payload) -> Outcome {
    let mut other = running.connect()?;
    other.exchange(&payload.letters(10))?;
    for _ in 0..2 {
        reset_at(running, running.connect()?, |client| client.send(b"unread"))?;
    }
    let echoed = other.exchange(&payload.letters(10));
    echoed.map_err(|stop| stop.after("another client reset its connection"))
}

/// A server that was stopped must come up again at once: without address reuse the old connections
/// hold the port.
pub(super) fn restarts_on_same_port(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut connected = running.connect()?;
    connected.exchange(&payload.letters(12))?;

    let context = "the grader stopped it while a client was connected";
    let again = running.restart().map_err(|stop| stop.after(context))?;
    again.connect()?.exchange(&payload.letters(12))
}

/// Finds out whether only what is left of a connection keeps the server from its port.
pub(super) fn whether_the_port_is_held(server: &Program, tried: Tried) -> Tried {
    let with_nothing_left = |server: &Program| server.launch()?.restart().map(drop);
    let listens_again = server.succeeds_aside(with_nothing_left);
    tried.with_some(listens_again.then_some(ListensAgainWithNothingLeft))
}

/// A server that has nothing to do does nothing: it waits in a call, it does not ask again and
/// again.
pub(super) fn rests_when_idle(server: &Program) -> Outcome {
    const CLIENTS: usize = 10;
    let mut payload = server.payload();
    let running = server.launch()?;
    running.see(ProcessTree::cpu_time)?;

    let mut gone = running.connect()?;
    gone.exchange(&payload.letters(12))?;
    gone.leave();
    let mut ended = running.connect()?;
    ended.exchange(&payload.letters(12))?;
    ended.half_close()?;
    let _silent = connect_one_by_one(&running, &Echo, CLIENTS, &mut payload)?;

    rests(&running, CLIENTS)
}

/// Where the server does not serve all of these clients, those that it serves decide.
pub(super) fn rests_with_few(server: &Program, tried: Tried) -> InShort {
    if tried.fact(|Busy(_)| Some(())).is_some() {
        return InShort::Fails(tried);
    }
    let can = Abilities::of(server);
    let clients = if can.serves_at_once { 2 } else { 1 };
    match server.try_aside(|server| rests_beside(server, can.serves_next, clients)) {
        Ok(()) => InShort::Holds,
        Err(shorter) => InShort::Fails(shorter.unwrap_or(tried)),
    }
}

/// Rests with these silent clients, after one that has come and gone if the server serves the next.
fn rests_beside(server: &Program, after_another: bool, clients: usize) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    if after_another {
        let mut gone = running.connect()?;
        gone.exchange(&payload.letters(12))?;
        gone.leave();
    }
    let _silent = connect_one_by_one(&running, &Echo, clients, &mut payload)?;
    rests(&running, clients)
}

/// Holds when the server uses little time from now on, and lives on.
fn rests(running: &Server, clients: usize) -> Outcome {
    let context = running.context();
    if !wait::settle(context, AFTERMATH, wait::STUCK) {
        let rests = uses_little_time(running.tree(), clients);
        rests.map_err(|failure| failure.at(context.snapshot()))?;
    }
    running.lives_on()
}

/// Finds out whether a busy server rests as long as no client has ever disconnected.
pub(super) fn when_it_is_busy(server: &Program, tried: Tried) -> Tried {
    match tried.fact(|Busy(_)| Some(())) {
        Some(()) => {
            let clients = if Abilities::of(server).serves_at_once { 3 } else { 1 };
            let tried = tried.with_some(BusyWithNobodyGone::measure(server, &Echo, clients));
            whether_it_reads_on(server, tried)
        }
        None => tried,
    }
}
