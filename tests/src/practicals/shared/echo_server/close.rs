//! How a conversation ends, and what a server does afterwards: it closes, lives on, and rests.

use std::sync::Arc;
use std::time::Duration;

use super::chunking::LATE;
use super::facts::{HalfClose, LeftOpen};
use crate::engine::compare;
use crate::engine::payload::Payload;
use crate::engine::peer::Peer;
use crate::engine::program::{Program, Server};
use crate::engine::received::{Ending, Received};
use crate::engine::snapshot::Snapshot;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::engine::wait::{self, Proof, Wait, wait_for};
use crate::observe::{CANNOT_SEE, SocketCounts};
use crate::practicals::shared::AFTERMATH;
use crate::practicals::shared::clients::{connect_one_by_one, reset_at};
use crate::practicals::shared::dialogue::Echo;
use crate::practicals::shared::rest::{Busy, BusyWithNobodyGone, uses_little_time};

/// The end of the client's stream is no reason to forget what the client is still owed.
pub(super) fn flushes_before_close(server: &Program) -> Outcome {
    let mut payload = server.payload();
    for message in [&payload.letters(13), server.large_message()] {
        let running = server.launch()?;
        let mut client = running.connect_with_small_buffer()?;
        let received = client.ask_and_half_close(message, message, LATE)?;
        let fact = HalfClose { complete: received.is_all_of(message), ending: received.ending };
        comes_back_and_ends(message, received)
            .map_err(|failure| failure.maybe_of_a_death().with(fact))?;
    }
    Ok(())
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
    const CLIENTS: usize = 5;
    let mut payload = server.payload();
    let running = server.launch()?;
    let before = running.tree().sockets().ok_or_else(cannot_see)?;

    connect_exchange_and_close(&running, 1, &mut payload)?;
    let (after_one, _) = settled(&running, before.held)?;
    connect_exchange_and_close(&running, CLIENTS, &mut payload)?;
    let (after_all, snapshot) = settled(&running, after_one.held)?;

    let SocketCounts { held, half_closed } = after_all;
    if held <= after_one.held && half_closed == 0 {
        return Ok(());
    }
    let first = before.held.min(after_one.held);
    let expected = format!(
        "as many sockets as after the first client disconnected ({first}), \
         2 s after {CLIENTS} more disconnected"
    );
    let observed = format!(
        "{held} sockets, {half_closed} of them in CLOSE_WAIT: \
         the clients closed them, but your server did not"
    );
    Err(Failure::new(expected, observed).at(snapshot).with(LeftOpen(half_closed)).into())
}

fn cannot_see() -> Stop {
    Stop::Unseen(CANNOT_SEE.to_owned())
}

fn connect_exchange_and_close(running: &Server, clients: usize, payload: &mut Payload) -> Outcome {
    for _ in 0..clients {
        let mut client = running.connect()?;
        client.exchange(&payload.letters(7))?;
        client.close();
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
    let sockets = until(wait::STUCK, let_go).ok_or_else(cannot_see)?;
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

/// A moment in a client's life, and how to come to it.
type Moment<'a> = (&'static str, &'a dyn Fn(&mut Peer) -> Outcome);

/// A client may reset its connection at any moment; that is its own affair.
pub(super) fn survives_reset(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let large = server.large_message();
    let running = server.launch()?;

    let moments: [Moment<'_>; 5] = [
        ("right after it connected", &|_| Ok(())),
        ("after it sent a message, before it read the echo", &|client| client.send(b"unread")),
        ("right after it read the echo", &|client| client.exchange(b"Hello, world")),
        ("while your server waited for its next message", &|client| {
            client.exchange(b"Hello, world")?;
            wait::settle(&server.context, AFTERMATH, wait::STUCK);
            Ok(())
        }),
        ("while your server still had to send most of a large echo", &|client| {
            client.send_what_fits(large)
        }),
    ];
    for (moment, until) in moments {
        let context = format!("a client reset its connection {moment}");
        let client = running.connect().map_err(|stop| stop.after(&context))?;
        reset_at(server, client, until)?;
        let next = running.connect().and_then(|mut next| next.exchange(&payload.letters(12)));
        next.map_err(|stop| stop.after(&context))?;
    }
    others_survive_reset(server, &running, &mut payload)
}

/// A client that was there before is served on when another resets.
fn others_survive_reset(server: &Program, running: &Server, payload: &mut Payload) -> Outcome {
    let mut other = running.connect()?;
    other.exchange(&payload.letters(10))?;
    for _ in 0..2 {
        reset_at(server, running.connect()?, |client| client.send(b"unread"))?;
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

/// A server that has nothing to do does nothing: it waits in a call, it does not ask again and
/// again.
pub(super) fn rests_when_idle(server: &Program) -> Outcome {
    const CLIENTS: usize = 10;
    let mut payload = server.payload();
    let running = server.launch()?;
    let tree = running.tree();
    tree.cpu_time().ok_or_else(cannot_see)?;

    let mut gone = running.connect()?;
    gone.exchange(&payload.letters(12))?;
    gone.close();
    let mut ended = running.connect()?;
    ended.exchange(&payload.letters(12))?;
    ended.half_close()?;
    let _silent = connect_one_by_one(&running, &Echo, CLIENTS, &mut payload)?;

    if !wait::settle(&server.context, AFTERMATH, wait::STUCK) {
        let rests = uses_little_time(tree, CLIENTS);
        rests.map_err(|failure| failure.at(server.context.snapshot()))?;
    }
    running.lives_on()
}

/// Finds out whether a busy server rests as long as no client has ever disconnected.
pub(super) fn whether_it_rests_with_nobody_gone(server: &Program, tried: Tried) -> Tried {
    match tried.fact(|Busy(_)| Some(())) {
        Some(()) => tried.with_some(BusyWithNobodyGone::measure(server, &Echo, 3)),
        None => tried,
    }
}
