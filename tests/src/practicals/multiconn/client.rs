//! What is checked of the client that opens many connections in one thread. The harness plays the
//! server; as it answers with other bytes than it was sent, as many, only counting tells when all
//! of a reply is there.

pub(crate) mod mistakes;

use crate::engine::check::{Check, check};
use crate::engine::evidence::{Clue, on_failure};
use crate::engine::patience;
use crate::engine::payload::otherwise;
use crate::engine::peer::{Host, Peer};
use crate::engine::program::{Client, Ended, Program};
use crate::engine::shrink;
use crate::engine::transcript::show;
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::observe::CANNOT_SEE;
use crate::practicals::echo::client::{nobody_listens, sends_nothing_more};
use crate::practicals::echo::server::{AFTERMATH, after, reports};
use crate::practicals::multiconn::server::is_one_thread;

pub(crate) const CHECKS: &[Check] = &[
    check!(client, client_opens_all_at_once, multiconn_client),
    check!(client, client_works_in_one_thread, multiconn_client),
    check!(client, client_sends_both_messages, multiconn_client),
    check!(client, client_counts_pieces, multiconn_client),
    check!(client, client_takes_any_order, multiconn_client),
    check!(client, client_tells_its_steps, multiconn_client),
    check!(client, client_reports_refusal, multiconn_client),
    check!(client, client_reports_cut_connection, multiconn_client),
    check!(client, client_reports_bad_arguments, multiconn_client),
    check!(together, hundred_connections_agree, multiconn_client, multiconn_server),
];

/// What goes over each connection.
const MESSAGES: [&str; 2] = ["Message 1 from client.", "Message 2 from client."];

fn both() -> Vec<u8> {
    MESSAGES.concat().into_bytes()
}

fn start(client: &Program, connections: usize) -> Result<(Host, Client), Stop> {
    let host = Host::listen(&client.bench)?;
    let connecting = client.send_to(host.address, connections.to_string().as_bytes())?;
    Ok((host, connecting))
}

/// All connections are there before any of them was answered.
fn accept_all(host: &Host, client: &mut Client, connections: usize) -> Result<Vec<Peer>, Stop> {
    let context = |number| format!("{number} of {connections} had connected and none was answered");
    let accept = |number| host.accept(client).map_err(|stop| after(stop, &context(number)));
    (0..connections).map(accept).collect()
}

fn succeeds(client: Client) -> Result<Ended, Stop> {
    let ended = client.until_ended()?;
    if ended.exit.is_ok_and(|status| status.success()) {
        return Ok(ended);
    }
    Err(Failure::new("exit status 0, since all of every reply is back", ended.describe()).into())
}

/// At once is not one after another: the second connection does not wait for the first one's reply.
fn client_opens_all_at_once(client: &Program) -> Outcome {
    const CONNECTIONS: usize = 50;
    let (host, mut connecting) = start(client, CONNECTIONS)?;
    let all = accept_all(&host, &mut connecting, CONNECTIONS).map(drop);
    on_failure(all, |failure| {
        if client.try_aside(connects_again_once_served).0.is_ok() {
            client.bench.clue(Clue::own(mistakes::CONNECTS_AGAIN, CONNECTIONS));
        }
        failure.into()
    })
}

/// The first connection is served, and then comes a second one.
fn connects_again_once_served(client: &Program) -> Outcome {
    let (host, mut connecting) = start(client, 2)?;
    let mut first = host.accept(&mut connecting)?;
    first.expect(&both())?;
    first.send(&otherwise(&both()))?;
    host.accept(&mut connecting).map(drop)
}

/// A connection needs no thread of its own to connect in, nor to wait in.
fn client_works_in_one_thread(client: &Program) -> Outcome {
    const CONNECTIONS: usize = 20;
    let (host, mut connecting) = start(client, CONNECTIONS)?;
    let tree = connecting.tree();
    tree.tasks().ok_or_else(|| Stop::Unseen(CANNOT_SEE.to_owned()))?;
    let _servers = accept_all(&host, &mut connecting, CONNECTIONS)?;
    is_one_thread(&client.bench, tree, &format!("with {CONNECTIONS} connections open"))
}

/// Both messages go out on every connection, once, with nothing before, between or after them.
fn client_sends_both_messages(client: &Program) -> Outcome {
    const CONNECTIONS: usize = 3;
    let (host, mut connecting) = start(client, CONNECTIONS)?;
    let mut servers = accept_all(&host, &mut connecting, CONNECTIONS)?;

    for server in &mut servers {
        on_failure(server.expect(&both()), |failure| {
            if client.try_aside(sends_the_second_once_answered).0.is_ok() {
                client.bench.clue(Clue::own(mistakes::SENDS_ONCE_ANSWERED, 2));
            }
            failure.into()
        })?;
        server.send(&otherwise(&both()))?;
        sends_nothing_more(server, &both())?;
    }
    Ok(())
}

/// The second message comes when the first one's reply is there, and not before.
fn sends_the_second_once_answered(client: &Program) -> Outcome {
    let (host, mut connecting) = start(client, 1)?;
    let mut server = host.accept(&mut connecting)?;
    server.expect(MESSAGES[0].as_bytes())?;
    let came = server.whatever_comes(AFTERMATH)?;
    if !came.is_empty() {
        return Err(
            Failure::new("no byte before the first message is answered", show(&came, 40)).into()
        );
    }
    server.send(&otherwise(MESSAGES[0].as_bytes()))?;
    server.expect(MESSAGES[1].as_bytes())
}

/// A reply is no message: it comes in any pieces, and a piece may hold the end of one message and
/// the beginning of the next.
fn client_counts_pieces(client: &Program) -> Outcome {
    const PIECES: [usize; 7] = [1, 1, 19, 2, 6, 14, 1];
    let (host, mut connecting) = start(client, 2)?;
    let mut servers = accept_all(&host, &mut connecting, 2)?;
    for server in &mut servers {
        server.expect(&both())?;
    }

    let reply = otherwise(&both());
    let mut from = 0;
    for piece in PIECES {
        for server in &servers {
            on_failure(server.send_pieces([&reply[from..from + piece]]), |failure| {
                if client.try_aside(closes_after_first_piece).0.is_ok() {
                    client.bench.clue(Clue::own(mistakes::CLOSED_AFTER, 1));
                }
                let expected = format!(
                    "a connection that stays open until all {} bytes of its reply have come",
                    reply.len()
                );
                Failure {
                    expected,
                    observed: format!("its end when {from} had come at most"),
                    ..failure
                }
                .into()
            })?;
        }
        from += piece;
    }
    for server in &mut servers {
        server.expect_end(patience::ENDING)?;
    }
    succeeds(connecting)?;
    Ok(())
}

/// One byte of a reply is enough for it.
fn closes_after_first_piece(client: &Program) -> Outcome {
    let (host, mut connecting) = start(client, 1)?;
    let mut server = host.accept(&mut connecting)?;
    server.expect(&both())?;
    server.send(&otherwise(&both())[..1])?;
    server.expect_end(patience::REPLY)
}

/// Whichever connection is ready comes next: the last may be answered first, and is closed when its
/// reply is whole.
fn client_takes_any_order(client: &Program) -> Outcome {
    const CONNECTIONS: usize = 5;
    let (host, mut connecting) = start(client, CONNECTIONS)?;
    let mut servers = accept_all(&host, &mut connecting, CONNECTIONS)?;
    for server in &mut servers {
        server.expect(&both())?;
    }

    while let Some(mut server) = servers.pop() {
        let others = servers.len();
        server.send(&otherwise(&both()))?;
        let context =
            format!("its whole reply had come, {others} other connections being unanswered");
        on_failure(server.expect_end(patience::ENDING), |failure| {
            if client.try_aside(takes_them_in_order).0.is_ok() {
                client.bench.clue(Clue::own(mistakes::TAKES_IN_ORDER, CONNECTIONS));
            }
            after(failure.into(), &context)
        })?;
        server.close();
    }
    succeeds(connecting)?;
    Ok(())
}

/// Each connection is closed when its reply is whole, where the first is answered first.
fn takes_them_in_order(client: &Program) -> Outcome {
    const CONNECTIONS: usize = 3;
    let (host, mut connecting) = start(client, CONNECTIONS)?;
    for mut server in accept_all(&host, &mut connecting, CONNECTIONS)? {
        server.expect(&both())?;
        server.send(&otherwise(&both()))?;
        server.expect_end(patience::ENDING)?;
    }
    Ok(())
}

/// What it does is told on stdout, a line for each step of each connection.
fn client_tells_its_steps(client: &Program) -> Outcome {
    const CONNECTIONS: usize = 3;
    let (host, mut connecting) = start(client, CONNECTIONS)?;
    let mut servers = accept_all(&host, &mut connecting, CONNECTIONS)?;
    for server in &mut servers {
        server.expect(&both())?;
        server.send(&otherwise(&both()))?;
        server.expect_end(patience::ENDING)?;
    }
    let ended = succeeds(connecting)?;

    let stdout = String::from_utf8_lossy(&ended.stdout.tail(64 * 1024)).into_owned();
    let told = (1..=CONNECTIONS)
        .try_for_each(|number| tells(&stdout, number, &format!("{}", host.address)));
    on_failure(told, |failure| {
        client.bench.clue(Clue::own(mistakes::TELLS_OTHERWISE, CONNECTIONS));
        failure.into()
    })
}

/// The steps of one connection stand there, in order.
fn tells(stdout: &str, number: usize, address: &str) -> Outcome {
    let own = |line: &&str| {
        let last = line.split(" connection ").last().unwrap_or_default();
        last.split(' ').next() == Some(&number.to_string())
    };
    let lines: Vec<&str> = stdout.lines().filter(own).collect();
    let missing = |what: String| -> Stop {
        let there = if lines.is_empty() { "nothing".to_owned() } else { lines.join(" / ") };
        Failure::new(format!("on stdout {what}"), format!("of connection {number} {there}")).into()
    };
    let starting = format!("starting connection {number} to {address}");
    if lines.first() != Some(&&*starting) {
        return Err(missing(format!("first a line {starting:?}")));
    }
    let sending: String = lines
        .iter()
        .copied()
        .filter(|line| line.starts_with("sending ") && line.contains(" to "))
        .collect();
    if let Some(message) = MESSAGES.iter().find(|message| !sending.contains(**message)) {
        return Err(missing(format!(
            "a line \"sending … to connection {number}\" with {message:?} in it"
        )));
    }
    if !lines.iter().any(|line| line.starts_with("received ") && line.contains(" from ")) {
        return Err(missing(format!("a line \"received … from connection {number}\"")));
    }
    let closing = format!("closing connection {number}");
    if lines.last() != Some(&&*closing) {
        return Err(missing(format!("at the end a line {closing:?}")));
    }
    Ok(())
}

/// A connection attempt that does not block says only later that it has failed.
fn client_reports_refusal(client: &Program) -> Outcome {
    let (_nobody, address) = nobody_listens(client)?;
    for connections in [b"1", b"3"] {
        let ended = client.send_to(address, connections)?.until_ended()?;
        let expected =
            "a message on stderr and an exit status other than 0, since nobody listens".to_owned();
        reports(&client.bench, &ended, expected, ended.exit.is_ok_and(|status| !status.success()))?;
    }
    Ok(())
}

/// One connection's end is its own: the others go on, and afterwards the client says that not all
/// went well.
fn client_reports_cut_connection(client: &Program) -> Outcome {
    let closing: fn(Peer) = |server| server.close();
    let resetting: fn(Peer) = |server| server.reset();
    for (cut, how) in [(closing, "ended the stream of"), (resetting, "reset")] {
        let (host, mut connecting) = start(client, 3)?;
        let mut servers = accept_all(&host, &mut connecting, 3)?;
        for server in &mut servers {
            server.expect(&both())?;
        }

        let second = servers.remove(1);
        second.send(&otherwise(&both())[..30])?;
        second.until_taken()?;
        cut(second);
        for mut server in servers {
            server.send(&otherwise(&both()))?;
            let context = format!("the server had {how} another connection");
            server.expect_end(patience::ENDING).map_err(|stop| after(stop, &context))?;
            server.close();
        }
        let ended = connecting.until_ended()?;
        let expected = format!(
            "a message on stderr and an exit status other than 0, since the server {how} one connection after half of its reply"
        );
        reports(&client.bench, &ended, expected, ended.exit.is_ok_and(|status| !status.success()))?;
    }
    Ok(())
}

/// What cannot be a number of connections is answered with how to use the program.
fn client_reports_bad_arguments(client: &Program) -> Outcome {
    const USAGE: i32 = 2;
    let (_nobody, address) = nobody_listens(client)?;
    for arguments in [&[b"abc".as_slice()][..], &[b"-1"], &[b""], &[]] {
        let ended = client.send_all_to(address, arguments)?.until_ended()?;
        let shown = arguments
            .first()
            .map_or("no CONNECTIONS".to_owned(), |word| format!("CONNECTIONS {}", show(word, 9)));
        let is_usage =
            ended.exit.is_ok_and(|status| status.code() == Some(USAGE)) && ended.says_usage();
        reports(
            &client.bench,
            &ended,
            format!("a usage line on stderr and exit status 2 for {shown}"),
            is_usage,
        )?;
    }
    Ok(())
}

/// Both together do what each does alone.
fn hundred_connections_agree(client: &Program, server: &Program) -> Outcome {
    const CONNECTIONS: usize = 100;
    on_failure(agree(client, server, CONNECTIONS), |failure| {
        let works = |connections| {
            server.try_aside(|server| agree(&client.beside(server), server, connections)).0.is_ok()
        };
        if let Some(most) = shrink::largest_that_works(CONNECTIONS, works) {
            client.bench.clue(Clue::own(mistakes::MOST_CONNECTIONS, most));
        }
        failure.into()
    })
}

fn agree(client: &Program, server: &Program, connections: usize) -> Outcome {
    let running = server.launch()?;
    succeeds(client.send_to(running.address, connections.to_string().as_bytes())?)?;
    Ok(())
}
