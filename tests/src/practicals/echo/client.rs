//! What is checked of the echo client. The harness plays the server, and it answers with other
//! bytes than it was sent, as many: a client that prints what it was given is found out.

pub(crate) mod mistakes;

use std::net::SocketAddr;

use socket2::{Domain, Socket};

use crate::engine::check::{Check, check};
use crate::engine::compare::{self, Difference};
use crate::engine::evidence::{Clue, on_failure};
use crate::engine::patience;
use crate::engine::payload::otherwise;
use crate::engine::peer::{Ending, Host, Peer, Received};
use crate::engine::program::{Client, Ended, LOCALHOST, Program};
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::fault::Fault;
use crate::practicals::echo::server::reports;

pub(crate) const CHECKS: &[Check] = &[
    check!(client, client_sends_exactly, echo_client),
    check!(client, client_reads_line_from_stdin, echo_client),
    check!(client, client_prints_reply, echo_client),
    check!(client, client_gathers_reply, echo_client),
    check!(client, client_gathers_large_reply, echo_client),
    check!(client, client_reports_refused, echo_client),
    check!(client, client_reports_cut_reply, echo_client),
    check!(client, client_closes, echo_client),
    check!(together, client_and_server_agree, echo_client, echo_server),
];

/// The message goes out as it is: no newline of the client's own, no other encoding.
fn client_sends_exactly(client: &Program) -> Outcome {
    let letters = client.bench.payload().letters(11);
    for message in [letters.as_slice(), b"  two  words ", "Grüße, 世界".as_bytes(), b""] {
        let (host, mut sender) = start(client, message)?;
        let mut server = host.accept(&mut sender)?;

        server.expect(message)?;
        server.send(&otherwise(message))?;
        sends_nothing_more(&server, message)?;
    }
    Ok(())
}

fn start(client: &Program, message: &[u8]) -> Result<(Host, Client), Stop> {
    let host = Host::listen(&client.bench)?;
    let sender = client.send_to(host.address, message)?;
    Ok((host, sender))
}

/// No byte comes after the message.
pub(crate) fn sends_nothing_more(server: &Peer, message: &[u8]) -> Outcome {
    let more = server.receive(1024, patience::SILENCE)?.bytes;
    if more.is_empty() {
        return Ok(());
    }
    let received = Received { equal: message.len(), bytes: more, ending: None };
    compare::same(message, &received, "the server")
}

/// Without an argument the message is the line that was typed, without its end.
fn client_reads_line_from_stdin(client: &Program) -> Outcome {
    let line = client.bench.payload().letters(14);
    for (end, then_end) in [(b"\n".as_slice(), false), (b"\r\n", false), (b"", true)] {
        let host = Host::listen(&client.bench)?;
        let mut sender = client.send_typed(host.address, &[&line, end].concat(), then_end)?;
        let mut server = host.accept(&mut sender)?;

        server.expect(&line)?;
        server.send(&otherwise(&line))?;
        sends_nothing_more(&server, &line)?;
        server.close();
        prints(client, &sender.until_ended()?, &line, &otherwise(&line))?;
    }
    Ok(())
}

/// What is printed is what came back.
fn client_prints_reply(client: &Program) -> Outcome {
    let message = client.bench.payload().letters(13);
    let reply = otherwise(&message);

    let ended = answer(client, &message, |server| server.send(&reply))?;

    on_failure(prints(client, &ended, &message, &reply), |failure| {
        if ended.exit.is_err() {
            does_the_end_free_it(client, &message, &reply);
        }
        failure.into()
    })
}

/// A client that does not end: does it print the reply once the server has closed?
fn does_the_end_free_it(client: &Program, message: &[u8], reply: &[u8]) {
    let attempt = |client: &Program| {
        let (host, mut sender) = start(client, message)?;
        let mut server = host.accept(&mut sender)?;
        server.expect(message)?;
        server.send(reply)?;
        server.close();
        prints(client, &sender.until_ended()?, message, reply)
    };
    if client.try_aside(attempt).0.is_ok() {
        client.bench.clue(Clue::PrintedOnceClosed);
    }
}

/// Starts the client, takes its message, lets `reply` answer, and waits for the client's end. The
/// server's side stays open until the client has ended its own.
fn answer(
    client: &Program,
    message: &[u8],
    reply: impl FnOnce(&Peer) -> Outcome,
) -> Result<Ended, Stop> {
    let (host, mut sender) = start(client, message)?;
    let mut server = host.accept(&mut sender)?;
    server.expect(message)?;
    reply(&server)?;
    let rest = server.receive(1024 * 1024, patience::ENDING)?;
    if rest.ending == Some(Ending::EndOfStream) {
        server.close();
        return sender.until_ended();
    }
    let ended = sender.until_ended();
    drop(server);
    ended
}

/// On stdout there is the reply to `message` and a line end, and nothing else.
fn prints(client: &Program, ended: &Ended, message: &[u8], reply: &[u8]) -> Outcome {
    let stdout = ended.stdout.whole().unwrap_or_else(|| ended.stdout.tail(4096));
    let line = stdout.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if line == Some(reply) {
        return Ok(());
    }
    client.bench.clue(Clue::Printed {
        stdout: stdout.clone(),
        reply: reply.to_vec(),
        message: message.to_vec(),
        ended: ended.exit.is_ok(),
    });
    let observed = match line {
        Some(line) => format!("{} and a line end", compare::describe(line)),
        None if stdout.is_empty() => format!("nothing on stdout ({})", ended.describe()),
        None => format!("{} and no line end", compare::describe(&stdout)),
    };
    let expected = format!("on stdout the reply, {}, and one line end", compare::describe(reply));
    let printed = Received { equal: 0, bytes: stdout, ending: None };
    let difference = Difference::between(&[reply, b"\n"].concat(), &printed).map(Box::new);
    Err(Failure { difference, ..Failure::new(expected, observed) }.into())
}

/// A reply comes in as many pieces as it likes; a piece may end in the middle of a character.
fn client_gathers_reply(client: &Program) -> Outcome {
    let message = [
        client.bench.payload().letters(5).as_slice(),
        "é€".as_bytes(),
        &client.bench.payload().letters(2),
    ]
    .concat();
    let reply = otherwise(&message);

    on_failure(answered_byte_by_byte(client, &message, &reply), |failure| {
        let ascii = client.bench.payload().letters(message.len());
        if client
            .try_aside(|client| answered_byte_by_byte(client, &ascii, &otherwise(&ascii)))
            .0
            .is_ok()
        {
            client.bench.clue(Clue::GathersAscii);
        } else {
            [61_440, 64_000].into_iter().for_each(|of| how_it_takes_one_piece(client, of));
        }
        failure.into()
    })
}

fn answered_byte_by_byte(client: &Program, message: &[u8], reply: &[u8]) -> Outcome {
    let ended = answer(client, message, |server| {
        for byte in reply.chunks(1) {
            server.send(byte)?;
            server.until_taken()?;
        }
        Ok(())
    })?;
    prints(client, &ended, message, reply)
}

/// A client that loses what comes in pieces: does it read once, or until a read is short? Replies
/// in one piece that are multiples of nearly every buffer, of powers of two and of round numbers,
/// tell.
fn how_it_takes_one_piece(client: &Program, of: usize) {
    let attempt = |client: &Program| {
        let message = client.bench.payload().letters(of);
        let mut buffer = None;
        let ended = answer(client, &message, |server| {
            buffer = server.asked_for();
            server.send(&otherwise(&message))
        })?;
        Ok(match ended.exit {
            Ok(_) => Clue::OnePiece {
                printed: ended.stdout.whole().map_or(of, |stdout| stdout.trim_ascii_end().len()),
                of,
                buffer,
            },
            Err(_) => Clue::HangsAfter(of),
        })
    };
    if let Ok(clue) = client.try_aside(attempt).0 {
        client.bench.clue(clue);
    }
}

/// A reply may be larger than any buffer.
fn client_gathers_large_reply(client: &Program) -> Outcome {
    const SIZE: usize = 100_000;
    let message = client.bench.payload().letters(SIZE);
    let reply = otherwise(&message);

    let (first, second) = reply.split_at(SIZE / 2 + 1);
    let ended = answer(client, &message, |server| {
        server.send(first)?;
        server.until_taken()?;
        server.send(second)
    })?;

    prints(client, &ended, &message, &reply)
}

/// Nobody listens: that is a message for a person, and a failure for a script.
fn client_reports_refused(client: &Program) -> Outcome {
    let (_nobody, address) = nobody_listens(client)?;

    let ended = client.send_to(address, b"Hello, world")?.until_ended()?;

    let expected =
        "a message on stderr and an exit status other than 0, since nobody listens".to_owned();
    reports(&client.bench, &ended, expected, ended.exit.is_ok_and(|status| !status.success()))
}

/// An address that refuses for certain as long as the socket lives: bound and not listening, so
/// nobody else can listen there.
pub(crate) fn nobody_listens(client: &Program) -> Result<(Socket, SocketAddr), Stop> {
    let nobody = client.bench.network().tcp_socket(Domain::IPV4).map_err(Fault::from)?;
    nobody.bind(&SocketAddr::from((LOCALHOST, 0)).into()).map_err(Fault::from)?;
    let address = nobody.local_addr().ok().and_then(|address| address.as_socket());
    let address = address.ok_or_else(|| Fault("a bound socket without an address".to_owned()))?;
    Ok((nobody, address))
}

/// Half a reply is no reply.
fn client_reports_cut_reply(client: &Program) -> Outcome {
    let message = client.bench.payload().letters(20);
    let reply = otherwise(&message);
    let half = &reply[..reply.len() / 2];
    let closing: fn(Peer) = |server| server.close();
    let resetting: fn(Peer) = |server| server.reset();

    for (end, how) in [(closing, "ended the stream"), (resetting, "reset the connection")] {
        let (host, mut sender) = start(client, &message)?;
        let mut server = host.accept(&mut sender)?;
        server.expect(&message)?;
        server.send(half)?;
        server.until_taken()?;
        end(server);

        let ended = sender.until_ended()?;
        let expected = format!(
            "a message on stderr and an exit status other than 0, since the server {how} after half of the reply"
        );
        reports(&client.bench, &ended, expected, ended.exit.is_ok_and(|status| !status.success()))?;
    }
    Ok(())
}

/// The reply is complete when as many bytes are back as were sent, also where that fills a buffer
/// exactly, or is nothing at all: then the client closes and ends, and does not wait for a server
/// that waits for it.
fn client_closes(client: &Program) -> Outcome {
    let payload = client.bench.payload().letters(4096);
    for length in [10, 4096, 0] {
        let message = &payload[..length];
        let (host, mut sender) = start(client, message)?;
        let mut server = host.accept(&mut sender)?;
        server.expect(message)?;
        server.send(&otherwise(message))?;

        on_failure(server.expect_end(patience::ENDING), |failure| {
            client.bench.clue(Clue::HangsAfter(length));
            about(failure.into(), length)
        })?;
        server.close();
        let ended = sender.until_ended()?;
        if !ended.exit.is_ok_and(|status| status.success()) {
            return Err(Failure::new(
                format!("exit status 0 after a message of {length} bytes"),
                ended.describe(),
            )
            .into());
        }
        if message.is_empty() {
            prints(client, &ended, b"", b"")?;
        }
    }
    Ok(())
}

fn about(stop: Stop, length: usize) -> Stop {
    match stop {
        Stop::Failed(failure) => {
            let expected = format!(
                "end of stream from the client after the reply to a message of {length} bytes"
            );
            Failure { expected, smallest_failing_input: Some(length), ..failure }.into()
        }
        other => other,
    }
}

/// Both together do what each does alone.
fn client_and_server_agree(client: &Program, server: &Program) -> Outcome {
    let mut payload = client.bench.payload();
    let running = server.launch()?;

    for message in [
        payload.letters(12),
        "Grüße".as_bytes().to_vec(),
        payload.letters(1024),
        payload.letters(5000),
    ] {
        let ended = client.send_to(running.address, &message)?.until_ended()?;
        prints(client, &ended, &message, &message)?;
    }
    Ok(())
}
