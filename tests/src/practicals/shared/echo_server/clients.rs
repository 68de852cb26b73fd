//! Several clients, one after another and at the same time.

use super::abilities::{Abilities, in_short};
use crate::engine::check::InShort;
use crate::engine::peer::Peer;
use crate::engine::program::Program;
use crate::engine::shrink::{self, Case};
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome};
use crate::engine::wait;
use crate::practicals::shared::clients::{
    Served, connect_one_by_one, whether_the_first_keeps_the_second_waiting,
};
use crate::practicals::shared::dialogue::Echo;
use crate::practicals::shared::{AFTERMATH, FailedAt, OthersBytes};

/// After one client comes the next.
pub(super) fn serves_next_client(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;

    for number in 1..=4 {
        let client = running.connect().and_then(|mut client| {
            client.exchange(&payload.letters(12))?;
            Ok(client)
        });
        client.map_err(|stop| stop.with(FailedAt(number)))?.close();
    }
    Ok(())
}

/// How many letters the second client sends while the first one is silent.
const SECOND: usize = 14;

/// A fact: the second client was not answered while the first one was silent.
#[derive(Debug, PartialEq, Eq)]
struct SecondWaits;

/// A client that is connected and says nothing must not keep the next one waiting.
pub(super) fn serves_clients_at_once(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut silent = running.connect()?;

    let mut second = running.connect()?;
    second.exchange(&payload.letters(SECOND)).map_err(|stop| stop.with(SecondWaits))?;
    let mut third = running.connect()?;
    third.exchange(&payload.letters(9)).map_err(|stop| stop.with(Served(2)))?;
    silent.exchange(&payload.letters(6))
}

/// Finds out whether the second client is served after the first one has disconnected.
pub(super) fn whether_they_wait_for_each_other(server: &Program, tried: Tried) -> Tried {
    if tried.fact(|SecondWaits| Some(())).is_none() {
        return tried;
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
    match Abilities::of(server).serves_next {
        true => in_short(server, tried, |can| !can.serves_at_once, one_by_one),
        false => InShort::Needs("serves_next_client"),
    }
}

fn one_by_one(server: &Program) -> Outcome {
    const CLIENTS: usize = 10;
    let mut payload = server.payload();
    let running = server.launch()?;
    for _ in 0..CLIENTS {
        let mut client = running.connect()?;
        client.exchange(&payload.message(25..=200))?;
        client.close();
    }
    Ok(())
}

/// Finds the fewest clients and the shortest messages that the server mixes. If a client was turned
/// away, the number of served clients is already known.
pub(super) fn how_few_clients_mix(server: &Program, tried: Tried) -> Tried {
    match tried.failure.smallest {
        Some(_) => tried,
        None => shrink::smallest(server, 0, fifty_clients(), tried, &in_rounds),
    }
}

/// In each round all clients send, then all read. Their messages have different lengths.
fn in_rounds(server: &Program, case: &Case) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut clients = connect_one_by_one(&running, &Echo, case.clients, &mut payload)?;
    for longest in &case.messages {
        // Whose bytes come to another client shows only where there are some.
        let shortest = longest.div_ceil(8);
        let messages: Vec<Vec<u8>> =
            clients.iter().map(|_| payload.message(shortest..=*longest)).collect();
        for (client, message) in clients.iter().zip(&messages) {
            client.send(message)?;
        }
        receive_all(&mut clients, &messages)?;
    }
    Ok(())
}

/// Each client expects its own message. Where one gets something else, the failure says whether
/// another client had sent that.
fn receive_all(clients: &mut [Peer], messages: &[Vec<u8>]) -> Outcome {
    for at in 0..clients.len() {
        let received = clients[at].expect(&messages[at]);
        received.map_err(|stop| stop.map(|failure| whose_bytes(failure, at, clients, messages)))?;
    }
    Ok(())
}

fn whose_bytes(failure: Failure, at: usize, clients: &[Peer], messages: &[Vec<u8>]) -> Failure {
    let came = failure.difference.as_ref().map(|difference| difference.wrong().to_vec());
    let is_mixed = |other: usize| {
        let surplus = clients[other].surplus();
        surplus.is_some_and(|surplus| is_from_another(&surplus, other, messages))
    };
    let shows = is_from_another(&came.unwrap_or_default(), at, messages) || {
        // The others are still being answered.
        wait::settle(clients[at].context(), AFTERMATH, wait::STUCK);
        (at + 1..clients.len()).any(is_mixed)
    };
    if shows { failure.with(OthersBytes) } else { failure }
}

/// Returns whether these bytes begin with bytes that another client sent.
fn is_from_another(came: &[u8], at: usize, messages: &[Vec<u8>]) -> bool {
    const TELLING: usize = 4;
    let key = &came[..came.len().min(2 * TELLING)];
    let holds = |message: &Vec<u8>| message.windows(key.len()).any(|window| window == key);
    let others = messages.iter().enumerate().filter(|(other, _)| *other != at);
    key.len() >= TELLING && !holds(&messages[at]) && others.map(|(_, message)| message).any(holds)
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
