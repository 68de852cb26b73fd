//! Several clients, one after another and at the same time.

use super::abilities::{Abilities, in_short};
use super::departures::{Departure, serves_after, whether_it_counts};
use super::facts::ServesMoreInTurn;
use crate::engine::check::InShort;
use crate::engine::peer::Peer;
use crate::engine::program::Program;
use crate::engine::shrink::{self, Case};
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::engine::wait;
use crate::practicals::shared::clients::{
    FIRST, Served, connect_one_by_one, whether_the_first_keeps_the_second_waiting,
};
use crate::practicals::shared::dialogue::Echo;
use crate::practicals::shared::{AFTERMATH, FailedAt, OthersBytes};

/// After one client comes the next.
pub(super) fn serves_next_client(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;

    for number in 1..=CLIENTS_IN_TURN {
        let client = running.connect().and_then(|mut client| {
            client.exchange(&payload.letters(12))?;
            Ok(client)
        });
        let client =
            client.map_err(|stop| after_others(stop, number - 1).with(FailedAt(number)))?;
        client.leave();
        // A server that ends when a client leaves has the time to do so.
        wait::settle(&server.context, AFTERMATH, wait::STUCK);
    }
    let lives_on = running.lives_on();
    lives_on.map_err(|stop| after_others(stop, CLIENTS_IN_TURN).with(FailedAt(CLIENTS_IN_TURN + 1)))
}

/// How many clients come one after another: more than in any check about how they leave.
const CLIENTS_IN_TURN: usize = 17;

fn after_others(stop: Stop, gone: usize) -> Stop {
    match gone {
        0 => stop,
        1 => stop.after("client a disconnected"),
        n => stop.after(&format!("{n} clients disconnected")),
    }
}

/// How many letters the second client sends while the first one is silent.
const SECOND: usize = 14;

/// A fact: the second client was not answered while the first one was silent.
#[derive(Debug, PartialEq, Eq)]
struct SecondWaits;

/// A client that is connected and says nothing must not keep the next one waiting.
pub(super) fn serves_clients_at_once(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let messages: Vec<Vec<u8>> =
        [6, SECOND, 9].into_iter().map(|length| payload.letters(length)).collect();
    let running = server.launch()?;
    let mut clients = vec![running.connect()?];

    for (number, message) in messages.iter().enumerate().skip(1) {
        let mut next = running.connect()?;
        next.exchange(message).map_err(|stop| match number {
            1 => stop.with(SecondWaits),
            served => stop.with(Served(served)),
        })?;
        clients.push(next);
    }
    let silent = clients[0].exchange(&messages[0]);
    silent.map_err(|stop| stop.map(|failure| whose_bytes(failure, 0, &clients, &messages, &[])))
}

/// A server that never serves a second client is told so by another check.
pub(super) fn at_once_needs_a_next(server: &Program, tried: Tried) -> InShort {
    match Abilities::of(server).serves_next {
        true => InShort::Fails(tried),
        false => InShort::Needs("serves_next_client"),
    }
}

/// Finds out whether the second client is served after the first one has disconnected.
pub(super) fn whether_they_wait_for_each_other(server: &Program, tried: Tried) -> Tried {
    if tried.fact(|SecondWaits| Some(())).is_none() {
        return whether_it_serves_more_in_turn(server, tried);
    }
    let question = server.payload().letters(SECOND);
    whether_the_first_keeps_the_second_waiting(server, tried, &Echo, b"", &question)
}

/// Fifty clients, in three rounds of messages of up to 200 bytes.
fn fifty_clients() -> Case {
    Case { clients: 50, messages: vec![200; 3], piece: usize::MAX }
}

/// Each client has its own bytes: one buffer shared by all shows when all have sent before any of
/// them reads.
pub(super) fn keeps_clients_apart(server: &Program) -> Outcome {
    in_rounds(server, &fifty_clients())
}

/// Where clients are served one after another, each still gets its own bytes, and none that the
/// client before it left in a buffer.
pub(super) fn apart_one_by_one(server: &Program, tried: Tried) -> InShort {
    let can = Abilities::of(server);
    match (can.serves_next, can.serves_at_once) {
        (true, true) => in_short(server, tried, |can| !can.converses, apart_in_one_round),
        (true, false) => in_short(server, tried, |_| true, one_by_one),
        (false, _) => InShort::Needs("serves_next_client"),
    }
}

/// Where conversations break off, each client sends one message, and all send before any of them
/// reads.
fn apart_in_one_round(server: &Program) -> Outcome {
    const CLIENTS: usize = 10;
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(running.connect()?);
        wait::settle(&server.context, AFTERMATH, wait::STUCK); // it accepts the client meanwhile
    }
    let messages: Vec<Vec<u8>> = clients.iter().map(|_| payload.message(5..=12)).collect();
    for (client, message) in clients.iter().zip(&messages) {
        client.send(message)?;
    }
    receive_all(&mut clients, &messages, &[])
}

fn one_by_one(server: &Program) -> Outcome {
    const CLIENTS: usize = 3;
    let mut payload = server.payload();
    let running = server.launch()?;
    for _ in 0..CLIENTS {
        let mut client = running.connect()?;
        client.exchange(&payload.message(5..=12))?;
        client.leave();
    }
    Ok(())
}

/// Finds the fewest clients and the shortest messages that the server mixes. If a client was turned
/// away, the number of served clients is already known.
pub(super) fn how_few_clients_mix(server: &Program, tried: Tried) -> Tried {
    match tried.failure.smallest {
        Some(_) => whether_it_serves_more_in_turn(server, tried),
        None => shrink::smallest(server, 0, fifty_clients(), tried, &in_rounds),
    }
}

/// Finds out whether a number of clients is the most that are served at the same time, or the most
/// that are ever served.
pub(super) fn whether_it_serves_more_in_turn(server: &Program, tried: Tried) -> Tried {
    let Some(clients) = tried.fact(|Served(clients)| Some(*clients)).filter(|n| *n > 1) else {
        return tried;
    };
    let in_turn = |server: &Program| serves_after(server, clients, Departure::AfterAnEcho);
    match server.succeeds_aside(in_turn) {
        true => tried.with(ServesMoreInTurn),
        false => whether_it_counts(server, tried, clients),
    }
}

/// In each round all clients send, then all read. Their messages have different lengths.
fn in_rounds(server: &Program, case: &Case) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut clients = connect_one_by_one(&running, &Echo, case.clients, &mut payload)?;
    let mut again = server.payload();
    let first: Vec<Vec<u8>> = clients.iter().map(|_| again.letters(FIRST)).collect();
    for longest in &case.messages {
        // Whose bytes come to another client shows only where there are some.
        let shortest = longest.div_ceil(8);
        let messages: Vec<Vec<u8>> =
            clients.iter().map(|_| payload.message(shortest..=*longest)).collect();
        for (client, message) in clients.iter().zip(&messages) {
            client.send(message)?;
        }
        receive_all(&mut clients, &messages, &first)?;
    }
    Ok(())
}

/// Each client expects its own message. Where one gets something else, the failure says whether
/// another client had sent that, now or in its `earlier` message.
fn receive_all(clients: &mut [Peer], messages: &[Vec<u8>], earlier: &[Vec<u8>]) -> Outcome {
    for at in 0..clients.len() {
        let received = clients[at].expect(&messages[at]);
        received.map_err(|stop| {
            stop.map(|failure| whose_bytes(failure, at, clients, messages, earlier))
        })?;
    }
    Ok(())
}

fn whose_bytes(
    failure: Failure,
    at: usize,
    clients: &[Peer],
    messages: &[Vec<u8>],
    earlier: &[Vec<u8>],
) -> Failure {
    let came = failure.difference.as_ref().map(|difference| difference.wrong().to_vec());
    let came = came.unwrap_or_default();
    let is_mixed = |other: usize| {
        let surplus = clients[other].surplus();
        surplus.is_some_and(|surplus| is_from_another(&surplus, other, messages))
    };
    let shows = is_from_another(&came, at, messages) || is_from_another(&came, at, earlier) || {
        // The others are still being answered.
        wait::settle(clients[at].context(), AFTERMATH, wait::STUCK);
        (0..clients.len()).filter(|other| *other != at).any(is_mixed)
    };
    if shows { failure.with(OthersBytes) } else { failure }
}

/// Returns whether these bytes begin with bytes that another client sent.
fn is_from_another(came: &[u8], at: usize, messages: &[Vec<u8>]) -> bool {
    const TELLING: usize = 4;
    let key = &came[..came.len().min(2 * TELLING)];
    let holds = |message: &Vec<u8>| message.windows(key.len()).any(|window| window == key);
    let others = messages.iter().enumerate().filter(|(other, _)| *other != at);
    let own = messages.get(at);
    key.len() >= TELLING
        && !own.is_some_and(&holds)
        && others.map(|(_, message)| message).any(holds)
}

/// Hundreds of clients are no reason to turn one away.
pub(super) fn holds_many_clients(server: &Program) -> Outcome {
    const CLIENTS: usize = 500;
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut clients = connect_one_by_one(&running, &Echo, CLIENTS, &mut payload)?;

    let message = payload.letters(10);
    for client in &clients {
        client.send(&message)?;
    }
    for client in &mut clients {
        client.expect(&message)?;
    }
    Ok(())
}
