//! Several clients of one server.

use crate::engine::diagnose::Findings;
use crate::engine::machine;
use crate::engine::payload::Payload;
use crate::engine::peer::Peer;
use crate::engine::program::{Program, Server};
use crate::engine::tried::Tried;
use crate::engine::verdict::{Diagnosis, Failure, Outcome, Stop};
use crate::engine::wait;
use crate::practicals::shared::AFTERMATH;
use crate::practicals::shared::dialogue::Dialogue;

/// A fact: this many clients were served at the same time, and the next one was not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Served(pub(crate) usize);

/// How many letters a client sends when it has connected.
pub(crate) const FIRST: usize = 8;

/// Connects clients, each when the one before it has been answered: a backlog of one survives that.
/// A limit of the machine that is too low for them is a fault.
pub(crate) fn connect_one_by_one(
    running: &Server,
    dialogue: &dyn Dialogue,
    clients: usize,
    payload: &mut Payload,
) -> Result<Vec<Peer>, Stop> {
    machine::has_descriptors_for(clients)?;
    let mut served: Vec<Peer> = Vec::new();
    for number in 0..clients {
        let next = running
            .connect()
            .and_then(|mut client| dialogue.ask(&mut client, payload, FIRST).map(|()| client));
        if next.is_err() {
            machine::has_room_for_tasks(running.tree().tasks().map_or(0, |tasks| tasks.threads))?;
        }
        served.push(next.map_err(|stop| stop.map(|failure| turned_away(number, failure)))?);
    }
    Ok(served)
}

/// Says that some clients are served, and the next one is not.
fn turned_away(served: usize, failure: Failure) -> Failure {
    let sentence = match served {
        0 => return failure.with(Served(served)),
        n => format!("failing case: {} clients at the same time; your server serves {n}", n + 1),
    };
    let failure = Failure { smallest: Some(sentence), ..failure }.with(Served(served));
    let s = if served == 1 { "" } else { "s" };
    failure.after(&format!("{served} other client{s} connected"))
}

/// Resets a client's connection at a certain moment of its conversation, and gives the server time
/// to do the wrong thing.
pub(crate) fn reset_at(
    running: &Server,
    mut client: Peer,
    until: impl FnOnce(&mut Peer) -> Outcome,
) -> Outcome {
    until(&mut client)?;
    client.reset();
    wait::settle(running.context(), AFTERMATH, wait::STUCK);
    Ok(())
}

/// A fact: a client got its reply only after the client before it had disconnected.
#[derive(Debug, PartialEq, Eq)]
struct WaitsForTheFirst;

/// A fact: a client was served only because it connected after the client before it had
/// disconnected.
#[derive(Debug, PartialEq, Eq)]
struct TurnedAway;

/// Names `one_client_at_a_time` if a second client gets its answer only after the first client,
/// which has sent `beginning`, has disconnected. The report then shows this conversation.
pub(crate) fn whether_the_first_keeps_the_second_waiting(
    server: &Program,
    tried: Tried,
    dialogue: &dyn Dialogue,
    beginning: &[u8],
    question: &[u8],
) -> Tried {
    match server.try_aside(|server| asks_beside(server, dialogue, beginning, question)) {
        Err(Some(again)) if again.fact(|WaitsForTheFirst| Some(())).is_some() => {
            tried.shown_by(again).caused_by(
                "one_client_at_a_time",
                "a second client got its reply only after the first had disconnected",
            )
        }
        Err(Some(again)) if again.fact(|TurnedAway| Some(())).is_some() => {
            tried.shown_by(again).caused_by(
                "one_client_at_a_time",
                "a second client was turned away while the first was connected; \
                 a client that came after the first had disconnected was served",
            )
        }
        _ => tried,
    }
}

/// Asks as a second client while a first one is connected. Without an answer, the first one closes.
fn asks_beside(
    server: &Program,
    dialogue: &dyn Dialogue,
    beginning: &[u8],
    question: &[u8],
) -> Outcome {
    let answer = dialogue.answer(question);
    let running = server.launch()?;
    let first = running.connect()?;
    first.send(beginning)?;
    let mut second = running.connect()?;
    match second.ask(question, &answer) {
        Ok(()) => Ok(()),
        Err(stop) => {
            first.close();
            if second.expect(&answer).is_ok() {
                return Err(stop.with(WaitsForTheFirst));
            }
            second.close();
            wait::settle(&server.context, AFTERMATH, wait::STUCK);
            let later = running.connect().and_then(|mut later| later.ask(question, &answer));
            Err(if later.is_ok() { stop.with(TurnedAway) } else { stop })
        }
    }
}

// ---- the mistakes ----

/// Names the mistake if all of these checks that failed served the same number of clients.
pub(crate) fn few_clients(findings: &Findings<'_>, checks: &[&str]) -> Option<Diagnosis> {
    let failed = findings.failed_of(checks);
    let alive = failed.iter().filter(|failed| !failed.died());
    let numbers: Vec<usize> =
        alive.filter_map(|failed| failed.fact(|Served(number)| Some(*number))).collect();
    let number = *numbers.first().filter(|number| **number > 1)?;
    if numbers.len() < failed.len() || numbers.iter().any(|other| *other != number) {
        return None;
    }
    let because = format!("your server serves {number} clients at the same time, but not one more");
    findings.name("few_clients", because, checks)
}
