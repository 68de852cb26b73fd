//! What is checked of the client that opens many connections in one thread.
//!
//! The harness plays the server. It answers with other bytes than it was sent, as many, so that
//! only counting tells when all of a reply is there.

use super::one_thread::{does_not_grow, one_thread_works, tasks_at_rest, waits_in_one_thread};
use crate::engine::check::{Check, check};
use crate::engine::client::Client;
use crate::engine::difference::bytes;
use crate::engine::ended::Ended;
use crate::engine::listener::{Listener, Refusing};
use crate::engine::peer::Peer;
use crate::engine::program::Program;
use crate::engine::shrink;
use crate::engine::sight;
use crate::engine::transcript::show;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::engine::wait;
use crate::observe::{ProcessTree, TaskCounts};
use crate::practicals::shared::AFTERMATH;
use crate::practicals::shared::any_client::{self, CUTS, reports_refused, sends_nothing_more};
use crate::practicals::shared::reports::{reports, reports_failure};

pub(super) const CHECKS: &[Check] = &[
    check!(client, client_opens_all_at_once, multiconn_client, then whether_one_follows_another),
    check!(client, client_works_in_one_thread, multiconn_client),
    check!(client, client_sends_both_messages, multiconn_client, then whether_it_waits_for_a_reply),
    check!(client, client_counts_pieces, multiconn_client, then whether_one_piece_is_enough),
    check!(client, client_takes_any_order, multiconn_client, then whether_it_wants_their_order),
    check!(client, client_tells_its_steps, multiconn_client),
    check!(client, client_reports_refusal, multiconn_client),
    check!(client, client_reports_cut_connection, multiconn_client),
    check!(client, client_reports_bad_arguments, multiconn_client),
    check!(
        together,
        hundred_connections_agree,
        multiconn_client,
        multiconn_server,
        then how_many_agree
    ),
];

/// A fact: this many connections at once work, and one more does not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MostConnections(pub(super) usize);

/// What goes over each connection.
const MESSAGES: [&str; 2] = ["Message 1 from client.", "Message 2 from client."];

fn both() -> Vec<u8> {
    MESSAGES.concat().into_bytes()
}

fn start(client: &Program, connections: usize) -> Result<(Listener, Client), Stop> {
    any_client::start(client, &[connections.to_string().as_bytes()])
}

/// Returns all connections; none is answered before all of them are there.
fn accept_all(
    listener: &Listener,
    client: &mut Client,
    connections: usize,
) -> Result<Vec<Peer>, Stop> {
    let context =
        |number| format!("it opened {number} of {connections} connections and got no reply yet");
    let mut accept = |number| listener.accept(client).map_err(|stop| stop.after(&context(number)));
    (0..connections).map(&mut accept).collect()
}

/// Returns all connections, each with both messages received.
fn accept_asking(
    listener: &Listener,
    client: &mut Client,
    connections: usize,
) -> Result<Vec<Peer>, Stop> {
    let mut servers = accept_all(listener, client, connections)?;
    servers.iter_mut().try_for_each(|server| server.expect(&both()))?;
    Ok(servers)
}

fn reply(server: &Peer) -> Outcome {
    server.send(&server.context().payloads.otherwise(&both()))
}

fn succeeds(client: Client) -> Result<Ended, Stop> {
    let ended = client.until_ended()?;
    if ended.succeeded() {
        return Ok(ended);
    }
    let expected = "exit status 0, because every reply arrived whole";
    Err(Failure::new(expected, ended.describe()).at(ended.snapshot).into())
}

/// How many connections are opened at once.
const AT_ONCE: usize = 50;

/// At once is not one after another: the second connection does not wait for the first one's reply.
fn client_opens_all_at_once(client: &Program) -> Outcome {
    let (listener, mut connecting) = start(client, AT_ONCE)?;
    accept_all(&listener, &mut connecting, AT_ONCE).map(drop)
}

/// Finds out whether a second connection comes after the first one is served.
fn whether_one_follows_another(client: &Program, tried: Tried) -> Tried {
    if !client.succeeds_aside(connects_again_once_served) {
        return tried;
    }
    let because = format!(
        "your client opened each of {AT_ONCE} connections only after the one before it \
         was answered and closed"
    );
    tried.caused_by("client_one_after_another", because)
}

fn connects_again_once_served(client: &Program) -> Outcome {
    let (listener, mut connecting) = start(client, 2)?;
    let mut first = listener.accept(&mut connecting)?;
    first.expect(&both())?;
    reply(&first)?;
    listener.accept(&mut connecting).map(drop)
}

/// A connection needs no thread, neither to connect nor to wait.
fn client_works_in_one_thread(client: &Program) -> Outcome {
    const CONNECTIONS: usize = 20;
    const FEW: usize = 2;
    let (listener, mut connecting) = start(client, CONNECTIONS)?;
    let (tree, context) = (connecting.tree(), &client.context);
    sight::see(context, tree, ProcessTree::tasks)?;
    let servers = accept_all(&listener, &mut connecting, CONNECTIONS)?;

    let when = format!("with {CONNECTIONS} connections open");
    let many = waits_in_one_thread(context, tree, &when)?;
    if many.threads >= CONNECTIONS {
        let few = client.try_aside(|client| tasks_with(client, FEW));
        few.map_or(Ok(()), |few| does_not_grow(few, many, CONNECTIONS - FEW, &when))?;
    }
    one_thread_works(context, tree, &when, |round| {
        _ = servers[round].send(b"."); // what the client makes of it is for other checks
        servers[round].until_taken()
    })
}

fn tasks_with(client: &Program, connections: usize) -> Result<TaskCounts, Stop> {
    let (listener, mut connecting) = start(client, connections)?;
    let _servers = accept_all(&listener, &mut connecting, connections)?;
    tasks_at_rest(&client.context, connecting.tree())
}

/// A fact: what came was not both messages.
#[derive(Debug, PartialEq, Eq)]
struct SendsOtherwise;

/// Both messages go out on every connection, once, with nothing before, between or after them.
fn client_sends_both_messages(client: &Program) -> Outcome {
    const CONNECTIONS: usize = 3;
    let (listener, mut connecting) = start(client, CONNECTIONS)?;
    let mut servers = accept_all(&listener, &mut connecting, CONNECTIONS)?;

    for server in &mut servers {
        server.expect(&both()).map_err(|stop| stop.with(SendsOtherwise))?;
        reply(server)?;
        sends_nothing_more(server, &both())?;
    }
    Ok(())
}

/// Finds out whether the client sends the second message only after the reply to the first.
fn whether_it_waits_for_a_reply(client: &Program, tried: Tried) -> Tried {
    let sends_otherwise = tried.fact(|SendsOtherwise| Some(())).is_some();
    if !sends_otherwise || !client.succeeds_aside(sends_the_second_once_answered) {
        return tried;
    }
    let because = "your client sent the second message only after the reply to the first";
    tried.caused_by("client_waits_for_reply", because)
}

fn sends_the_second_once_answered(client: &Program) -> Outcome {
    let (listener, mut connecting) = start(client, 1)?;
    let mut server = listener.accept(&mut connecting)?;
    server.expect(MESSAGES[0].as_bytes())?;
    let came = server.whatever_comes(AFTERMATH)?;
    if !came.is_empty() {
        let expected = "no bytes before the first message is answered";
        return Err(Failure::new(expected, show(&came, 40)).into());
    }
    server.send(&client.otherwise(MESSAGES[0].as_bytes()))?;
    server.expect(MESSAGES[1].as_bytes())
}

/// A fact: it closed a connection in the middle of a reply.
#[derive(Debug, PartialEq, Eq)]
struct ClosedInReply;

/// A reply is no message: it comes in any pieces, and a piece may hold the end of one message and
/// the beginning of the next.
fn client_counts_pieces(client: &Program) -> Outcome {
    const PIECES: [usize; 7] = [1, 1, 19, 2, 6, 14, 1];
    let (listener, mut connecting) = start(client, 2)?;
    let mut servers = accept_asking(&listener, &mut connecting, 2)?;

    let reply = client.otherwise(&both());
    let mut from = 0;
    for piece in PIECES {
        for server in &servers {
            let sent = server.send_pieces([&reply[from..from + piece]]);
            sent.map_err(|stop| stop.map(|failure| closed(failure, from, reply.len())))?;
        }
        from += piece;
    }
    for server in &mut servers {
        server.expect_end(wait::ENDING)?;
    }
    succeeds(connecting)?;
    Ok(())
}

fn closed(failure: Failure, came: usize, of: usize) -> Failure {
    let expected =
        format!("a connection that stays open until all {of} bytes of its reply have arrived");
    let observed = format!("your client closed it after at most {}", bytes(came));
    Failure { expected, observed, ..failure }.with(ClosedInReply)
}

/// Finds out whether the client closes after one byte of a reply.
fn whether_one_piece_is_enough(client: &Program, tried: Tried) -> Tried {
    let closed_in_reply = tried.fact(|ClosedInReply| Some(())).is_some();
    let is_enough = closed_in_reply && client.succeeds_aside(closes_after_first_piece);
    tried.with_some(is_enough.then_some(TakesFirstPiece))
}

/// A fact: the client closed a connection after one byte of its reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TakesFirstPiece;

fn closes_after_first_piece(client: &Program) -> Outcome {
    let (listener, mut connecting) = start(client, 1)?;
    let mut server = listener.accept(&mut connecting)?;
    server.expect(&both())?;
    server.send(&client.otherwise(&both())[..1])?;
    server.expect_end(wait::REPLY)
}

/// A fact: a connection stayed open although its whole reply had arrived.
#[derive(Debug, PartialEq, Eq)]
struct StaysOpen;

/// The client serves the connection that is ready: the last may be answered first, and is closed
/// when its reply is whole.
fn client_takes_any_order(client: &Program) -> Outcome {
    const CONNECTIONS: usize = 5;
    let (listener, mut connecting) = start(client, CONNECTIONS)?;
    let mut servers = accept_asking(&listener, &mut connecting, CONNECTIONS)?;

    while let Some(mut server) = servers.pop() {
        let others = servers.len();
        reply(&server)?;
        let context =
            format!("its whole reply arrived ({others} of {CONNECTIONS} connections had none)");
        let ended = server.expect_end(wait::ENDING);
        ended.map_err(|stop| stop.after(&context).with(StaysOpen))?;
        server.close();
    }
    succeeds(connecting)?;
    Ok(())
}

/// Finds out whether each connection is closed after its reply if the first is answered first.
fn whether_it_wants_their_order(client: &Program, tried: Tried) -> Tried {
    let stays_open = tried.fact(|StaysOpen| Some(())).is_some();
    if !stays_open || !client.succeeds_aside(takes_them_in_order) {
        return tried;
    }
    let because = "the whole reply of the last connection arrived first, \
                   but your client did not close it; in order, it closes all of them";
    tried.caused_by("client_fixed_order", because)
}

fn takes_them_in_order(client: &Program) -> Outcome {
    const CONNECTIONS: usize = 3;
    let (listener, mut connecting) = start(client, CONNECTIONS)?;
    for mut server in accept_all(&listener, &mut connecting, CONNECTIONS)? {
        server.expect(&both())?;
        reply(&server)?;
        server.expect_end(wait::ENDING)?;
    }
    Ok(())
}

/// The client prints a line on stdout for each step of each connection.
fn client_tells_its_steps(client: &Program) -> Outcome {
    const CONNECTIONS: usize = 3;
    let (listener, mut connecting) = start(client, CONNECTIONS)?;
    let mut servers = accept_all(&listener, &mut connecting, CONNECTIONS)?;
    for server in &mut servers {
        server.expect(&both())?;
        reply(server)?;
        server.expect_end(wait::ENDING)?;
    }
    let ended = succeeds(connecting)?;

    let stdout = ended.outputs.stdout.tail(64 * 1024);
    let stdout = String::from_utf8_lossy(&stdout);
    let address = listener.address.to_string();
    for number in 1..=CONNECTIONS {
        tells(&stdout, number, &address).map_err(|failure| {
            let because = format!("every reply arrived; expected {}", failure.expected);
            failure.caused_by("client_tells_otherwise", because)
        })?;
    }
    Ok(())
}

/// The steps of one connection stand there, in order.
fn tells(stdout: &str, number: usize, address: &str) -> Result<(), Failure> {
    let own = |line: &&str| {
        let last = line.split(" connection ").last().unwrap_or_default();
        last.split(' ').next() == Some(&number.to_string())
    };
    let lines: Vec<&str> = stdout.lines().filter(own).collect();
    match missing_step(&lines, number, address) {
        None => Ok(()),
        Some(step) => {
            let there = if lines.is_empty() { "nothing".to_owned() } else { lines.join(" / ") };
            let observed = format!("for connection {number}: {there}");
            Err(Failure::new(format!("on stdout {step}"), observed))
        }
    }
}

/// Returns the first step that is not among these lines of one connection.
fn missing_step(lines: &[&str], number: usize, address: &str) -> Option<String> {
    let starting = format!("starting connection {number} to {address}");
    if lines.first() != Some(&&*starting) {
        return Some(format!("first a line {starting:?}"));
    }
    let is_sending = |line: &&str| line.starts_with("sending ") && line.contains(" to ");
    let sending: String = lines.iter().copied().filter(is_sending).collect();
    if let Some(message) = MESSAGES.iter().find(|message| !sending.contains(**message)) {
        return Some(format!("a line \"sending … to connection {number}\" with {message:?} in it"));
    }
    if !lines.iter().any(|line| line.starts_with("received ") && line.contains(" from ")) {
        return Some(format!("a line \"received … from connection {number}\""));
    }
    let closing = format!("closing connection {number}");
    (lines.last() != Some(&&*closing)).then(|| format!("at the end a line {closing:?}"))
}

/// A connection attempt that does not block says only later that it has failed.
fn client_reports_refusal(client: &Program) -> Outcome {
    reports_refused(client, &[b"1"])?;
    reports_refused(client, &[b"3"])
}

/// One connection's end is its own: the others go on, and afterwards the client says that not all
/// went well.
fn client_reports_cut_connection(client: &Program) -> Outcome {
    for ((cut, _), how) in CUTS.into_iter().zip(["ended the stream of", "reset"]) {
        let (listener, mut connecting) = start(client, 3)?;
        let mut servers = accept_asking(&listener, &mut connecting, 3)?;

        let second = servers.remove(1);
        second.send(&client.otherwise(&both())[..30])?;
        second.until_taken()?;
        cut(second);
        for mut server in servers {
            reply(&server)?;
            let context = format!("the server {how} another connection");
            server.expect_end(wait::ENDING).map_err(|stop| stop.after(&context))?;
            server.close();
        }
        let ended = connecting.until_ended()?;
        let why = format!("the server {how} one connection after half of its reply");
        reports_failure(&ended, &why)?;
    }
    Ok(())
}

/// An argument that cannot be a number of connections gets a usage line.
fn client_reports_bad_arguments(client: &Program) -> Outcome {
    let nobody = Refusing::at_address_of(client)?;
    for arguments in [&[b"abc".as_slice()][..], &[b"-1"], &[b""], &[]] {
        let ended = client.send_all_to(nobody.address, arguments)?.until_ended()?;
        let given = match arguments.first() {
            Some(word) => format!("CONNECTIONS {}", show(word, 9)),
            None => "no CONNECTIONS".to_owned(),
        };
        let expected = format!("a usage line on stderr and exit status 2 for {given}");
        reports(&ended, expected, ended.reported_usage())?;
    }
    Ok(())
}

/// How many connections both programs have at once.
const TOGETHER: usize = 100;

/// Both together do what each does alone.
fn hundred_connections_agree(client: &Program, server: &Program) -> Outcome {
    agree(client, server, TOGETHER)
}

/// Finds how many connections at once work.
fn how_many_agree(client: &Program, server: &Program, tried: Tried) -> Tried {
    let works = |connections| {
        server.succeeds_aside(|server| agree(&client.beside(server), server, connections))
    };
    tried.with_some(shrink::largest_that_works(TOGETHER, works).map(MostConnections))
}

fn agree(client: &Program, server: &Program, connections: usize) -> Outcome {
    let running = server.launch_for(client)?;
    succeeds(client.send_to(running.address, connections.to_string().as_bytes())?)?;
    Ok(())
}
