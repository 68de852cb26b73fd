//! What becomes of a server when its clients have left: the controls before a name.

use std::sync::Arc;
use std::time::Duration;

use super::facts::{AtTheEnd, StopsAfterTheFirst};
use crate::engine::program::Program;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Outcome, Stop};
use crate::engine::wait;
use crate::observe::ProcessTree;
use crate::practicals::shared::rest::percent_busy;
use crate::practicals::shared::{AFTERMATH, FailedAt};

/// How long a server has to end when its client has left.
const ENDING: Duration = Duration::from_secs(1);

/// How a client leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    /// It closes after its message has come back.
    AfterAnEcho,
    /// It closes without a message.
    WithoutAWord,
    /// It ends its stream together with its message, and then waits for the end of the echo.
    WithItsMessage,
}

/// Lets clients come and leave, one after another. Then one more client must be served.
pub(super) fn serves_after(server: &Program, clients: usize, departure: Departure) -> Outcome {
    const FEW: usize = 8;
    let mut payload = server.payload();
    let running = server.launch()?;
    for number in 0..clients {
        let mut client = running.connect()?;
        let message = payload.letters(5);
        match departure {
            Departure::AfterAnEcho => client.exchange(&message)?,
            Departure::WithoutAWord => {}
            Departure::WithItsMessage => {
                client.ask_and_half_close_at_once(&message, &message)?;
            }
        }
        match clients > FEW {
            true => client.close(),
            false => client.leave(),
        }
        // Of many clients, the last ones are enough to give a server the time to end.
        if clients - number <= FEW {
            wait::settle(&server.context, AFTERMATH, wait::STUCK);
        }
    }
    running.connect()?.exchange(&payload.letters(9))
}

/// Returns whether a server is seen to serve no client after one that leaves like this.
pub(super) fn stops_after_one(server: &Program, departure: Departure) -> bool {
    stops_after(server, 1, departure)
}

fn stops_after(server: &Program, clients: usize, departure: Departure) -> bool {
    let outcome = server.try_aside(|server| serves_after(server, clients, departure));
    matches!(outcome, Err(Some(_)))
}

/// Finds out why a server does not serve the client after these clients.
pub(super) fn why_the_next_is_not_served(server: &Program, tried: Tried) -> Tried {
    let Some(number) = tried.fact(|FailedAt(number)| Some(*number)) else { return tried };
    let tried = whether_it_reads_on(server, tried);
    match number {
        0 | 1 => tried,
        2 => whether_it_just_stops(server, tried),
        served_and_next => whether_it_counts(server, tried, served_and_next - 1),
    }
}

/// Finds out how a server is after its first client: it ended without an error, or it lives on and
/// has nothing left to read.
fn whether_it_just_stops(server: &Program, tried: Tried) -> Tried {
    let rests = tried.fact(|at: &AtTheEnd| (*at == AtTheEnd::Rests).then_some(())).is_some();
    let outcome = server.try_aside(|server| {
        let running = server.launch()?;
        let mut client = running.connect()?;
        client.exchange(&server.payload().letters(5))?;
        client.leave();
        wait::settle(&server.context, ENDING, wait::STUCK);
        running.ended()
    });
    let just_stops = outcome.is_ok_and(|status| status.is_none_or(|status| status.success()));
    tried.with_some((just_stops && rests).then_some(StopsAfterTheFirst))
}

/// Names `ends_after_some_clients` if clients without a word, as many, have the same effect.
pub(super) fn whether_it_counts(server: &Program, tried: Tried, clients: usize) -> Tried {
    let counts = stops_after(server, clients, Departure::AfterAnEcho)
        && !stops_after(server, clients - 1, Departure::AfterAnEcho)
        && stops_after(server, clients, Departure::WithoutAWord);
    if !counts {
        return tried;
    }
    let because = format!(
        "your server served {clients} clients, one after another, and not one more; \
         it stops after {clients} clients that close without a message, too"
    );
    tried.caused_by("ends_after_some_clients", because)
}

/// Adds how the server takes the end of a client's stream.
pub(super) fn whether_it_reads_on(server: &Program, tried: Tried) -> Tried {
    let at_the_end: Arc<Option<AtTheEnd>> =
        server.learn(|server| server.try_aside(at_the_end).ok().flatten());
    tried.with_some(at_the_end.as_ref().clone())
}

/// Measures whether a server that rests beside a silent client is busy once that client has closed,
/// and keeps its socket. Returns `None` where it never rests. A system that shows neither proves
/// neither.
fn at_the_end(server: &Program) -> Result<Option<AtTheEnd>, Stop> {
    const LITTLE: u32 = 5;
    const MUCH: u32 = 50;
    let running = server.launch()?;
    running.see(|tree| tree.cpu_time().zip(tree.sockets()))?;
    let mut client = running.connect()?;
    client.exchange(&server.payload().letters(6))?;
    wait::settle(&server.context, AFTERMATH, wait::STUCK);
    if percent_busy(running.tree()) > LITTLE {
        return Ok(None);
    }
    client.close();
    wait::settle(&server.context, AFTERMATH, wait::STUCK);
    let percent = percent_busy(running.tree());
    let is_kept = running.see(ProcessTree::sockets)?.half_closed > 0;
    let reads_on = percent >= MUCH && is_kept;
    Ok(Some(if reads_on { AtTheEnd::ReadsOn(percent) } else { AtTheEnd::Rests }))
}
