//! What is checked of the server that serves many clients in one thread: what only readiness makes
//! possible.

use super::idle::closes_idle_clients;
use super::one_thread::{does_not_grow, one_thread_works, tasks_at_rest, waits_in_one_thread};
use crate::engine::check::{Check, check};
use crate::engine::peer::Peer;
use crate::engine::program::Program;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome};
use crate::engine::wait;
use crate::observe::ProcessTree;
use crate::practicals::shared::AFTERMATH;
use crate::practicals::shared::clients::connect_one_by_one;
use crate::practicals::shared::dialogue::Echo;
use crate::practicals::shared::rest::{Busy, BusyWithNobodyGone, uses_little_time};

pub(super) const CHECKS: &[Check] = &[
    check!(readiness, works_in_one_thread, multiconn_server),
    check!(readiness, serves_thousand_clients, multiconn_server),
    check!(
        readiness,
        rests_among_many_clients,
        multiconn_server,
        then whether_it_rests_when_nothing_is_owed
    ),
    check!(readiness, stops_reading_when_owed, multiconn_server),
    check!(readiness, closes_idle_clients, multiconn_server),
];

/// A fact: its memory had grown by this many MiB.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HasGrown(pub(super) usize);

/// A selector waits for all clients at once. A thread or a process for each of them is the other
/// way, and so is one that helps out when a client does not read.
fn works_in_one_thread(server: &Program) -> Outcome {
    const CLIENTS: usize = 20;
    const FEW: usize = 2;
    let mut payload = server.payload();
    let running = server.launch()?;
    let (tree, context) = (running.tree(), running.context());
    running.see(ProcessTree::tasks)?;
    let when = format!("with {CLIENTS} clients connected");

    let mut clients = connect_one_by_one(&running, &Echo, FEW, &mut payload)?;
    let few = tasks_at_rest(context, tree)?;
    clients.extend(connect_one_by_one(&running, &Echo, CLIENTS - FEW, &mut payload)?);
    let many = waits_in_one_thread(context, tree, &when)?;
    does_not_grow(few, many, CLIENTS - FEW, &when)?;
    let speak = |round: usize| clients[round].exchange(&payload.letters(8));
    one_thread_works(context, tree, &when, speak)?;

    let when = "with one more client that does not read";
    let not_reading = running.connect_with_small_buffer()?;
    not_reading.send_what_fits(server.large_message())?;
    let now = waits_in_one_thread(context, tree, when)?;
    does_not_grow(many, now, CLIENTS, when)
}

/// A client costs a socket and a small buffer, not a stack: a server can hold a thousand of them.
fn serves_thousand_clients(server: &Program) -> Outcome {
    const CLIENTS: usize = 1000;
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut clients = connect_one_by_one(&running, &Echo, CLIENTS, &mut payload)?;

    let messages: Vec<Vec<u8>> = clients.iter().map(|_| payload.message(1..=40)).collect();
    for (client, message) in clients.iter().zip(&messages) {
        client.send(message)?;
    }
    for (client, message) in clients.iter_mut().zip(&messages) {
        client.expect(message)?;
    }
    Ok(())
}

/// How many silent clients are connected.
const SILENT: usize = 100;

/// A selector that is asked for too much answers at once, again and again: for writability while
/// there is nothing to write, and for everything else while one client is owed something and does
/// not read.
fn rests_among_many_clients(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let tree = running.tree();
    running.see(ProcessTree::cpu_time)?;

    let _silent = connect_one_by_one(&running, &Echo, SILENT, &mut payload)?;
    let not_reading = running.connect_with_small_buffer()?;
    not_reading.flood(server.large_message(), 1, |_| false)?;

    if !wait::settle(&server.context, AFTERMATH, wait::STALLED) {
        let rests = uses_little_time(tree, SILENT);
        rests.map_err(|failure| failure.after("another client sent much and read nothing"))?;
    }
    running.lives_on()
}

/// Finds out whether a busy server rests among the same number of silent clients alone.
fn whether_it_rests_when_nothing_is_owed(server: &Program, tried: Tried) -> Tried {
    match tried.fact(|Busy(_)| Some(())) {
        Some(()) => tried.with_some(BusyWithNobodyGone::measure(server, &Echo, SILENT)),
        None => tried,
    }
}

/// What a client does not read has to stay somewhere. A server that goes on reading from it keeps
/// it in memory, and has none left in the end; one that stops reading leaves it with the client.
fn stops_reading_when_owed(server: &Program) -> Outcome {
    const FLOOD: usize = 256 * 1024 * 1024;
    const MOST_MEMORY: u64 = 32 * 1024 * 1024;
    /// How many bytes are sent between two looks at the memory.
    const LOOK: usize = 4 * 1024 * 1024;
    let message = server.large_message();
    let mut payload = server.payload();
    let running = server.launch()?;
    let tree = running.tree();
    let mut client = running.connect()?;
    client.exchange(&payload.letters(12))?;

    let before = tree.resident_memory();
    // Where memory cannot be seen, only what the server has taken tells.
    let now = || before.zip(tree.resident_memory());
    let grown = || now().map_or(0, |(before, now)| now.saturating_sub(before));
    let mut looked_at = 0;
    let taken = client.flood(message, FLOOD / message.len(), |sent| {
        let look = sent >= looked_at + LOOK;
        looked_at = if look { sent } else { looked_at };
        look && grown() > MOST_MEMORY
    })?;
    if taken >= FLOOD || grown() > MOST_MEMORY {
        return Err(reads_on(taken, grown()).into());
    }
    let context = "a client sent much and read nothing";
    let mut other = running.connect().map_err(|stop| stop.after(context))?;
    other.exchange(&payload.letters(9)).map_err(|stop| stop.after(context))?;
    comes_back(&mut client, message, taken)
}

fn reads_on(taken: usize, grown: u64) -> Failure {
    const MIB: u64 = 1024 * 1024;
    let (taken, grown) = (taken as u64 / MIB, grown / MIB);
    let memory = match grown {
        0 => String::new(),
        grown => format!(", and its memory grew by {grown} MiB"),
    };
    let expected = "a server that stops reading from a client that does not read";
    Failure::new(expected, format!("your server took {taken} MiB from it{memory}"))
        .with(HasGrown(grown as usize))
}

/// Everything that went out comes back once the client reads.
fn comes_back(client: &mut Peer, message: &[u8], sent: usize) -> Outcome {
    let mut rest = sent;
    while rest > 0 {
        let part = &message[..message.len().min(rest)];
        client.expect(part)?;
        rest -= part.len();
    }
    Ok(())
}
