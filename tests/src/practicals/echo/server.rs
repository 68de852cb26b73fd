//! What is checked of the echo server, from outside, over TCP. The readable list first, then the
//! checks; each check's comment is the misconception that it detects. Which points a check is worth
//! and what it needs is the rubric's business.

pub(crate) mod follow_up;
pub(crate) mod mistakes;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use crate::engine::bench::Bench;
use crate::engine::check::{Check, check};
use crate::engine::compare;
use crate::engine::evidence::{Clue, on_failure};
use crate::engine::patience::{self, Patience, Proof, wait_for};
use crate::engine::payload::Payload;
use crate::engine::peer::{Ending, Peer, Received};
use crate::engine::program::{Ended, LOCALHOST, Program, Server};
use crate::engine::shrink::{self, Case};
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::observe::{CANNOT_SEE, Sockets, Tree};
use follow_up::{ending_of, failure_of};

pub(crate) const CHECKS: &[Check] = &[
    check!(flow, listens_on_given_address, echo_server),
    check!(exactness, echoes_short_message, echo_server),
    check!(exactness, echoes_every_byte_value, echo_server),
    check!(exactness, obeys_no_words, echo_server),
    check!(exactness, adds_nothing, echo_server),
    check!(exactness, echoes_message_after_message, echo_server),
    check!(chunking, echoes_every_size, echo_server),
    check!(chunking, echoes_byte_by_byte, echo_server),
    check!(chunking, echoes_large_message, echo_server),
    check!(chunking, outlasts_slow_reader, echo_server),
    check!(clients, serves_next_client, echo_server),
    check!(clients, serves_clients_at_once, echo_server),
    check!(clients, keeps_clients_apart, echo_server),
    check!(clients, holds_many_clients, echo_server),
    check!(close, flushes_before_close, echo_server),
    check!(close, closes_after_client, echo_server),
    check!(close, survives_empty_connection, echo_server),
    check!(close, survives_reset, echo_server),
    check!(close, restarts_on_same_port, echo_server),
    check!(conduct, rests_when_idle, echo_server),
    check!(conduct, reports_address_in_use, echo_server),
    check!(conduct, reports_bad_arguments, echo_server),
];

/// A reader that is late begins after this long, or as soon as nothing can move before it reads.
const LATE: Duration = Duration::from_millis(500);

/// For a program to do the wrong thing after a client did something odd; nothing is waited for once
/// nothing can move.
pub(crate) const AFTERMATH: Duration = Duration::from_millis(250);

// ---- flow ----

/// The address on the command line is the address: not a constant in the source, not every
/// interface of the machine.
pub(crate) fn listens_on_given_address(server: &Program) -> Outcome {
    let another = Ipv4Addr::new(127, 0, 20, 1);
    let exists = server.bench.network().listen(SocketAddr::from((another, 0))).is_ok()
        && !server.has_declared_address();
    for host in [Some(LOCALHOST), exists.then_some(another)].into_iter().flatten() {
        let running = server.launch_on(host)?;

        let _client = running.connect()?;
        patience::let_be(&server.bench, AFTERMATH, patience::STUCK);
        listens_where_told_only(&running)?;
    }
    Ok(())
}

fn listens_where_told_only(running: &Server<'_>) -> Outcome {
    let listening = match running.tree().listening() {
        Some(addresses) if !addresses.is_empty() => addresses,
        _ => vec![running.address],
    };
    if listening.iter().all(|address| *address == running.told) {
        return Ok(());
    }
    running.bench().clue(Clue::ListensOn(listening.clone(), running.told));
    let observed: Vec<String> = listening.iter().map(SocketAddr::to_string).collect();
    let everywhere = listening.iter().any(|address| address.ip().is_unspecified());
    let meaning = if everywhere { ", which is every interface of the machine" } else { "" };
    Err(Failure::new(
        format!("a server that listens on {} only", running.told),
        format!("one that listens on {}{meaning}", observed.join(" and ")),
    )
    .into())
}

// ---- exactness ----

/// The least that an echo server does.
fn echoes_short_message(server: &Program) -> Outcome {
    const MESSAGE: &[u8] = b"Hello, world";
    let attempt = |server: &Program| {
        let running = server.launch()?;
        let mut client = running.connect()?;
        client.send(MESSAGE)?;
        client.receive_among_others(MESSAGE).map(drop)
    };

    on_failure(attempt(server), |failure| {
        if ending_of(&failure).is_some_and(Ending::is_silence) {
            follow_up::what_makes_it_reply(server, MESSAGE);
        }
        failure.into()
    })
}

/// Bytes are not text: a server that decodes what it receives, if only for its log, fails on bytes
/// that are not UTF-8, and on characters that two reads cut in two.
fn echoes_every_byte_value(server: &Program) -> Outcome {
    const PIECE: usize = 16;
    let every_value: Vec<u8> = (0..=255).collect();
    let cut = characters_cut_in_two(&mut server.bench.payload(), PIECE);
    let values = every_value.chunks(PIECE).map(|piece| vec![piece]);
    let characters = cut.iter().map(|(first, second)| vec![first.as_slice(), second]);
    let messages: Vec<Vec<&[u8]>> = values.chain(characters).collect();

    on_failure(exchange_all(server, &messages.concat()), |failure| {
        smallest_of_values(server, failure, &messages)
    })
}

/// Several messages on one connection.
fn exchange_all(server: &Program, messages: &[&[u8]]) -> Outcome {
    let running = server.launch()?;
    let mut client = running.connect()?;
    messages.iter().try_for_each(|message| client.exchange(message))
}

/// Which of the messages break a fresh server, and which byte of the first one does alone.
fn smallest_of_values(server: &Program, found: Failure, messages: &[Vec<&[u8]>]) -> Stop {
    let Some((message, failure, bench)) = follow_up::which_fail(server, messages, exchange_all)
    else {
        return found.into();
    };
    let alone = message.chunks(1).find_map(|byte| {
        let (outcome, bench) = server.try_aside(|server| exchange_all(server, &[byte]));
        let Err(Stop::Failed(failure)) = outcome else { return None };
        Some((failure, format!("the byte 0x{:02x} alone does not come back", byte[0]), 1, bench))
    });
    let together = "these bytes, sent as shown, are enough to break it".to_owned();
    let (failure, sentence, size, bench) =
        alone.unwrap_or((failure, together, message.len(), bench));
    server.bench.show_instead(bench);
    Failure { smallest: Some(sentence), smallest_failing_input: Some(size), ..failure }.into()
}

/// For each size of a read, up to `most`: text whose last character is cut by it, and the rest of
/// that text.
fn characters_cut_in_two(payload: &mut Payload, most: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let characters = ["é", "€", "😀"];
    (1..=most)
        .zip(characters.iter().cycle())
        .map(|(size, character)| {
            let (begin, end) = character.as_bytes().split_at(1);
            (
                [payload.letters(size - 1).as_slice(), begin].concat(),
                [end, &payload.letters(5)].concat(),
            )
        })
        .collect()
}

/// A message is data: no word in it is a command, and a NUL or a line end is a byte like any other.
fn obeys_no_words(server: &Program) -> Outcome {
    const WORDS: [&[u8]; 16] = [
        b"q",
        b"quit",
        b"exit",
        b"/bye",
        b"SHUTDOWN",
        b"GET / HTTP/1.1",
        b"\n",
        b"\r\n",
        b"q\n",
        b"quit\r\n",
        b"exit\n",
        b"bye",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0leading",
        b"trailing\0",
        b"\0",
    ];
    let each = WORDS.map(|word| vec![word]);
    on_failure(converse_in_words(server, &WORDS), |found| {
        let alone = follow_up::which_fail(server, &each, converse_in_words);
        let Some((word, failure, bench)) = alone else { return found.into() };
        server.bench.show_instead(bench);
        let sentence = format!("the message {} is enough to break it", compare::describe(&word));
        Failure { smallest: Some(sentence), smallest_failing_input: Some(word.len()), ..failure }
            .into()
    })
}

/// For each word a client that says it and something else after it; then one more client.
fn converse_in_words(server: &Program, words: &[&[u8]]) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut before = "nothing".to_owned();
    for word in words {
        let mut client = running
            .connect()
            .map_err(|stop| after(stop, &format!("another client had sent {before}")))?;
        before = compare::describe(word);
        client.exchange(word)?;
        client
            .exchange(&payload.letters(9))
            .map_err(|stop| after(stop, &format!("the message {before}")))?;
        client.close();
    }
    let last = running.connect().and_then(|mut client| client.exchange(&payload.letters(9)));
    last.map_err(|stop| after(stop, &format!("another client had sent {before}")))
}

/// A failure that is about what came before it says so.
pub(crate) fn after(stop: Stop, what: &str) -> Stop {
    match stop {
        Stop::Failed(failure) => {
            Failure { expected: format!("{}, after {what}", failure.expected), ..failure }.into()
        }
        other => other,
    }
}

/// An echo is the message: no welcome, no prefix, no newline of the server's own.
fn adds_nothing(server: &Program) -> Outcome {
    const MOST: usize = 64 * 1024;
    let message = server.bench.payload().letters(11);
    let running = server.launch()?;
    let mut client = running.connect()?;

    let greeting = client.whatever_comes(AFTERMATH)?;
    client.send(&message)?;
    let mut came = client.receive_among_others(&message)?.bytes;
    client.half_close()?; // the echo is complete: this only ends the wait for bytes that should not come
    came.extend(client.receive(MOST, patience::SILENCE)?.bytes);
    let added =
        compare::same(&message, &Received { equal: 0, bytes: came, ending: None }, "client a");
    if !greeting.is_empty() {
        server.bench.clue(Clue::Greeting(greeting.clone()));
        let observed = compare::describe(&greeting);
        let difference = failure_of(&added).and_then(|failure| failure.difference.clone());
        return Err(Failure {
            difference,
            ..Failure::new("no byte for client a before it has sent anything", observed)
        }
        .into());
    }
    added
}

/// One connection carries many messages: a server that reads once and replies once, or that takes a
/// short read for the end, loses the second, and so does one that closes when nothing comes for a
/// moment. They get shorter, so that bytes left over in a buffer show.
fn echoes_message_after_message(server: &Program) -> Outcome {
    const LENGTHS: [usize; 7] = [13, 5, 11, 3, 1, 14, 2];
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;

    let mut number = 0;
    let outcome = LENGTHS.iter().try_for_each(|length| {
        number += 1;
        if number == 2 {
            pause(&server.bench);
        }
        client.exchange(&payload.letters(*length))
    });
    drop((client, running));
    on_failure(outcome, |failure| {
        server.bench.clue(Clue::FailedAt(number));
        if let Some(stale) = stale_bytes(server, &LENGTHS[..number], &failure) {
            server.bench.clue(Clue::StaleBytes(stale));
        }
        if ending_of(&failure).is_some_and(Ending::is_closed) {
            follow_up::how_it_takes_long_messages(server);
        }
        shrink::smallest(
            server,
            0,
            Case::messages(LENGTHS[..number].to_vec()),
            failure,
            &one_client,
        )
    })
}

/// What came instead of an echo, where it is the end of an earlier message: the part that a shorter
/// one after it left standing in a buffer.
fn stale_bytes(server: &Program, lengths: &[usize], failure: &Failure) -> Option<Vec<u8>> {
    const TELLING: usize = 3;
    let mut payload = server.bench.payload();
    let messages: Vec<Vec<u8>> = lengths.iter().map(|length| payload.letters(*length)).collect();
    let wrong = failure.difference.as_ref()?.wrong();
    let is_stale = |earlier: &Vec<u8>, later: &Vec<u8>| {
        earlier.get(later.len()..).is_some_and(|rest| {
            let common = rest.iter().zip(wrong).take_while(|(a, b)| a == b).count();
            common >= TELLING && (common == rest.len() || common == wrong.len())
        })
    };
    let found = (1..messages.len())
        .any(|at| messages[..at].iter().any(|earlier| is_stale(earlier, &messages[at])));
    found.then(|| wrong.to_vec())
}

// ---- chunking ----

/// TCP carries bytes, not messages: whatever the server's buffer holds, some message is longer, and
/// some fills it exactly.
fn echoes_every_size(server: &Program) -> Outcome {
    const SIZES: [usize; 41] = [
        1, 2, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257, 511, 512,
        513, 1000, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 8191, 8192, 8193, 16384,
        32768, 65535, 65536, 65537, 100_000,
    ];
    let message = server.bench.payload().stream(SIZES[SIZES.len() - 1]);
    let running = server.launch()?;
    let mut client = running.connect()?;

    let (mut good, mut bad) = (0, 0);
    let outcome = SIZES.iter().try_for_each(|size| {
        (good, bad) = (bad, *size);
        client.exchange(&message[..*size])
    });
    drop((client, running));
    on_failure(outcome, |failure| {
        let stop = shrink::smallest(server, good, Case::message(bad), failure, &one_client);
        if let Stop::Failed(Failure { smallest_failing_input: Some(bad), .. }) = stop {
            follow_up::what_the_size_does(server, bad);
        }
        stop
    })
}

/// A message may arrive one byte at a time, and each byte is echoed when it arrives.
fn echoes_byte_by_byte(server: &Program) -> Outcome {
    let pieces = Case { clients: 1, messages: vec![12], piece: 1 };

    on_failure(one_client(server, &pieces), |failure| {
        shrink::smallest(server, 0, pieces, failure, &one_client)
    })
}

/// One client, whose messages are exchanged in turn, piece by piece.
fn one_client(server: &Program, case: &Case) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;
    let mut number = 0;
    for length in &case.messages {
        for piece in payload.letters(*length).chunks(case.piece) {
            number += 1;
            if number == 2 {
                pause(&server.bench);
            }
            client.exchange(piece)?;
        }
    }
    Ok(())
}

/// Who gives up where nothing more is there for the moment has the time to.
fn pause(bench: &Bench) {
    patience::let_be(bench, AFTERMATH, patience::STUCK);
}

/// One write is not one message either: where the client does not read yet, a write takes only a
/// part.
fn echoes_large_message(server: &Program) -> Outcome {
    let large = Case::message(server.bench.large_message().len());
    let attempt = |server: &Program, case: &Case| {
        let running = server.launch()?;
        let mut client = running.connect()?;
        client.exchange_late(&server.bench.large_message()[..case.messages[0]])?;
        client.expect_nothing_more()
    };

    on_failure(attempt(server, &large), |failure| {
        if ending_of(&failure).is_none_or(Ending::is_silence) {
            follow_up::whether_the_end_comes(server);
        }
        shrink::smallest(server, 0, large, failure, &attempt)
    })
}

/// A client that reads late and slowly gets every byte, and costs the others nothing; nor does one
/// that never reads.
fn outlasts_slow_reader(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let message = server.bench.large_message();
    let running = server.launch()?;

    let never = running.connect_with_small_buffer()?;
    never.send_what_fits(message)?;
    let mut slow = running.connect_with_small_buffer()?;
    slow.exchange_slowly(message, |_| {
        patience::let_be(&server.bench, LATE, patience::STALLED);
        let mut other = running.connect()?;
        on_failure(other.exchange(&payload.letters(13)), |failure| {
            follow_up::whether_one_keeps_the_others_waiting(server);
            after(failure.into(), "two clients did not read")
        })?;
        other.close();
        Ok(())
    })
}

// ---- clients ----

/// After one client comes the next.
fn serves_next_client(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;

    let mut number = 0;
    let outcome = (0..4).try_for_each(|_| {
        number += 1;
        let mut client = running.connect()?;
        client.exchange(&payload.letters(12))?;
        client.close();
        Ok(())
    });
    on_failure(outcome, |failure| {
        server.bench.clue(Clue::FailedAt(number));
        failure.into()
    })
}

/// A client that is connected and says nothing must not keep the next one waiting.
fn serves_clients_at_once(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut silent = running.connect()?;

    let mut second = running.connect()?;
    let message = payload.letters(14);
    match second.exchange(&message) {
        Err(Stop::Failed(failure)) => {
            silent.close();
            if second.expect(&message).is_ok() {
                server.bench.clue(Clue::ServedOnceTheFirstHadGone);
            }
            return Err(failure.into());
        }
        answered => answered?,
    }
    let mut third = running.connect()?;
    on_failure(third.exchange(&payload.letters(9)), |failure| {
        server.bench.clue(Clue::Served(2));
        failure.into()
    })?;
    silent.exchange(&payload.letters(6))
}

/// Each client has its own bytes: one buffer shared by all shows when all have sent before anybody
/// reads.
fn keeps_clients_apart(server: &Program) -> Outcome {
    const CLIENTS: usize = 50;
    const ROUNDS: usize = 3;
    const LONGEST: usize = 200;
    let all = Case { clients: CLIENTS, messages: vec![LONGEST; ROUNDS], piece: usize::MAX };

    let outcome = in_rounds(server, &all);
    on_failure(outcome, |failure| match failure.smallest {
        // One was turned away: how many are served is known.
        Some(_) => failure.into(),
        None => shrink::smallest(server, 0, all, failure, &in_rounds),
    })
}

/// In each round all clients send, then all read; their messages have different lengths.
fn in_rounds(server: &Program, case: &Case) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut clients = connect_one_by_one(&running, case.clients, &mut payload)?;
    for longest in &case.messages {
        // Whose bytes those are that come to another client shows only where there are some.
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

/// Each client expects its own message; where one gets something else, it matters whose bytes those
/// are.
fn receive_all(clients: &mut [Peer], messages: &[Vec<u8>]) -> Outcome {
    let wrong =
        clients.iter_mut().zip(messages).enumerate().find_map(|(at, (client, message))| {
            client.expect(message).err().map(|stop| (at, stop))
        });
    let Some((at, stop)) = wrong else { return Ok(()) };
    on_failure(Err(stop), |failure| {
        let came = failure
            .difference
            .as_ref()
            .map(|difference| difference.wrong().to_vec())
            .unwrap_or_default();
        let of_the_rest = || {
            (at + 1..clients.len()).any(|other| {
                clients[other]
                    .surplus()
                    .is_some_and(|surplus| is_from_another(&surplus, other, messages))
            })
        };
        let bench = clients[at].bench();
        let shows = is_from_another(&came, at, messages) || {
            patience::let_be(bench, AFTERMATH, patience::STUCK); // the others are still being answered
            of_the_rest()
        };
        if shows {
            bench.clue(Clue::OthersBytes);
        }
        failure.into()
    })
}

/// Whether these bytes begin with some that another client than this one had sent.
fn is_from_another(came: &[u8], at: usize, messages: &[Vec<u8>]) -> bool {
    const TELLING: usize = 4;
    let key = &came[..came.len().min(2 * TELLING)];
    let holds = |message: &Vec<u8>| message.windows(key.len()).any(|window| window == key);
    let others = messages.iter().enumerate().filter(|(other, _)| *other != at);
    key.len() >= TELLING && !holds(&messages[at]) && others.map(|(_, message)| message).any(holds)
}

/// Hundreds of clients are no reason to turn one away.
fn holds_many_clients(server: &Program) -> Outcome {
    const CLIENTS: usize = 500;
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut clients = connect_one_by_one(&running, CLIENTS, &mut payload)?;

    let message = payload.letters(10);
    for client in &clients {
        client.send(&message)?;
    }
    for client in &mut clients {
        client.expect(&message)?;
    }
    Ok(())
}

/// Each is opened only when the one before it has been answered: a backlog of one survives that.
pub(crate) fn connect_one_by_one(
    running: &Server<'_>,
    clients: usize,
    payload: &mut Payload,
) -> Result<Vec<Peer>, Stop> {
    let mut served: Vec<Peer> = Vec::new();
    for _ in 0..clients {
        let next = running
            .connect()
            .and_then(|mut client| client.exchange(&payload.letters(8)).map(|()| client));
        match next {
            Ok(client) => served.push(client),
            Err(Stop::Failed(failure)) => return Err(turned_away(running, served.len(), failure)),
            Err(other) => return Err(other),
        }
    }
    Ok(served)
}

/// So many are served, and the next is not.
fn turned_away(running: &Server<'_>, served: usize, failure: Failure) -> Stop {
    running.bench().clue(Clue::Served(served));
    let sentence = match served {
        0 => return failure.into(),
        1 => "1 client is served, a second one at the same time is not".to_owned(),
        n => format!("{n} clients are served at the same time, one more is not"),
    };
    let failure = Failure { smallest: Some(sentence), ..failure };
    after(failure.into(), &format!("{served} other clients had connected"))
}

// ---- close ----

/// The end of the client's stream is no reason to forget what the client is still owed.
fn flushes_before_close(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    for message in [&payload.letters(13), server.bench.large_message()] {
        let running = server.launch()?;
        let mut client = running.connect_with_small_buffer()?;
        let received = client.send_and_half_close(message, LATE)?;
        on_failure(comes_back_and_ends(message, &received), |failure| {
            let complete = received.equal == message.len() && received.bytes.is_empty();
            server.bench.clue(Clue::HalfClose { complete, ending: received.ending });
            server.bench.suspect_death();
            failure.into()
        })?;
    }
    Ok(())
}

fn comes_back_and_ends(message: &[u8], received: &Received) -> Outcome {
    let complete = received.equal == message.len() && received.bytes.is_empty();
    match received.ending {
        Some(Ending::EndOfStream) if complete => Ok(()),
        ending if complete => Err(Failure::new(
            "end of stream after the echo, since the client has half-closed",
            ending.map_or_else(|| "more bytes".to_owned(), |ending| ending.to_string()),
        )
        .into()),
        _ => compare::same(message, received, "a client that has half-closed"),
    }
}

/// A client that is gone costs nothing any more: its socket is closed, not left in CLOSE_WAIT.
fn closes_after_client(server: &Program) -> Outcome {
    const CLIENTS: usize = 5;
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let tree = running.tree();
    let before = tree.sockets().ok_or_else(|| Stop::Unseen(CANNOT_SEE.to_owned()))?;

    connect_exchange_and_close(&running, 1, &mut payload)?;
    let after_one = settled(&running, tree, before.held)?;
    connect_exchange_and_close(&running, CLIENTS, &mut payload)?;
    let after_all = settled(&running, tree, after_one.held)?;

    if after_all.held <= after_one.held && after_all.half_closed == 0 {
        return Ok(());
    }
    server.bench.clue(Clue::LeftOpen(after_all.half_closed));
    Err(Failure::new(
        format!(
            "as many sockets as after the first client had gone ({}), 2 s after {CLIENTS} more had gone",
            before.held.min(after_one.held)
        ),
        format!(
            "{} sockets, {} of them in CLOSE_WAIT: closed by the client, not by the server",
            after_all.held, after_all.half_closed
        ),
    )
    .into())
}

fn connect_exchange_and_close(
    running: &Server<'_>,
    clients: usize,
    payload: &mut Payload,
) -> Outcome {
    for _ in 0..clients {
        let mut client = running.connect()?;
        client.exchange(&payload.letters(7))?;
        client.close();
    }
    Ok(())
}

/// The sockets that the server holds once it has let go of all but `wanted`, or when its time for
/// that is over.
fn settled(running: &Server<'_>, tree: Tree, wanted: usize) -> Result<Sockets, Stop> {
    let mut last = None;
    let mut until = |proof: Proof, reached: fn(Sockets, usize) -> bool| {
        _ = wait_for(Patience::new(running.bench(), patience::LETTING_GO, proof), |slice| {
            std::thread::sleep(slice.min(Duration::from_millis(5))); // another process's close gives no notice
            last = tree.sockets();
            reached(last?, wanted).then_some(())
        });
        last
    };
    // While an end of stream may be under way, a server that waits proves nothing.
    let arrived = |now: Sockets, wanted| now.held.saturating_sub(now.half_closed) <= wanted;
    let let_go = |now: Sockets, wanted| now.held <= wanted && now.half_closed == 0;
    until(Proof::Nothing, arrived);
    until(patience::STUCK, let_go).ok_or_else(|| Stop::Unseen(CANNOT_SEE.to_owned()))
}

/// A client may come and go without a word.
fn survives_empty_connection(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;

    for _ in 0..3 {
        running.connect()?.close();
        patience::let_be(&server.bench, AFTERMATH, patience::STUCK);
    }
    running
        .connect()?
        .exchange(&payload.letters(12))
        .map_err(|stop| after(stop, "clients that came and went without a word"))
}

/// A moment in a client's life, and how to come to it.
type Moment<'a> = (&'static str, &'a dyn Fn(&mut Peer) -> Outcome);

/// A client may reset its connection at any moment; that is its own affair.
fn survives_reset(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let large = server.bench.large_message();
    let running = server.launch()?;

    let moments: [Moment<'_>; 5] = [
        ("had just connected", &|_| Ok(())),
        ("had sent a message and not read the echo", &|client| client.send(b"unread")),
        ("had read the echo", &|client| client.exchange(b"Hello, world")),
        ("had read the echo, with the server waiting for more", &|client| {
            client.exchange(b"Hello, world")?;
            patience::let_be(&server.bench, AFTERMATH, patience::STUCK);
            Ok(())
        }),
        ("was owed most of a large message", &|client| client.send_what_fits(large)),
    ];
    for (moment, until) in moments {
        let context = format!("a client that {moment} had reset its connection");
        let mut client = running.connect().map_err(|stop| after(stop, &context))?;
        until(&mut client)?;
        client.reset();
        patience::let_be(&server.bench, AFTERMATH, patience::STUCK);
        running
            .connect()
            .and_then(|mut next| next.exchange(&payload.letters(12)))
            .map_err(|stop| after(stop, &context))?;
    }
    others_survive_reset(server, &running, &mut payload)
}

/// One that was there before is served on when another resets.
fn others_survive_reset(server: &Program, running: &Server<'_>, payload: &mut Payload) -> Outcome {
    let mut other = running.connect()?;
    other.exchange(&payload.letters(10))?;
    for _ in 0..2 {
        let client = running.connect()?;
        client.send(b"unread")?;
        client.reset();
        patience::let_be(&server.bench, AFTERMATH, patience::STUCK);
    }
    other
        .exchange(&payload.letters(10))
        .map_err(|stop| after(stop, "another client had reset its connection"))
}

/// A server that was stopped must come up again at once: without address reuse the old connections
/// hold the port.
fn restarts_on_same_port(server: &Program) -> Outcome {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut connected = running.connect()?;
    connected.exchange(&payload.letters(12))?;

    let again =
        running.restart().map_err(|stop| after(stop, "it was stopped with a client connected"))?;
    again.connect()?.exchange(&payload.letters(12))
}

// ---- conduct ----

/// A server that has nothing to do does nothing: it waits in a call, it does not ask again and
/// again.
fn rests_when_idle(server: &Program) -> Outcome {
    const CLIENTS: usize = 10;
    let mut payload = server.bench.payload();
    let mut running = server.launch()?;
    let tree = running.tree();
    tree.effort().ok_or_else(|| Stop::Unseen(CANNOT_SEE.to_owned()))?;

    let mut gone = running.connect()?;
    gone.exchange(&payload.letters(12))?;
    gone.close();
    let mut ended = running.connect()?;
    ended.exchange(&payload.letters(12))?;
    ended.half_close()?;
    let _silent = connect_one_by_one(&running, CLIENTS, &mut payload)?;

    if !patience::let_be(&server.bench, AFTERMATH, patience::STUCK) {
        on_failure(uses_little_time(&server.bench, tree, CLIENTS), |failure| {
            server.bench.keep_stuck();
            if let Ok(percent) = server.try_aside(|server| busy_with_silent(server, 3)).0 {
                server.bench.clue(Clue::BusyWithNobodyGone(percent));
            }
            failure.into()
        })?;
    }
    running.lives_on()
}

/// The share of a processor, in per cent, that it uses while some silent clients are there and none
/// has ever left.
pub(crate) fn busy_with_silent(server: &Program, clients: usize) -> Result<u32, Stop> {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let _silent = connect_one_by_one(&running, clients, &mut payload)?;
    Ok((busy_share(running.tree(), Duration::from_millis(200)) * 100.0) as u32)
}

pub(crate) fn uses_little_time(bench: &Bench, tree: Tree, silent: usize) -> Outcome {
    const LIMIT: f64 = 0.05;
    /// Far from the limit the first window decides; near it, the longest does.
    const WINDOWS: [Duration; 3] =
        [Duration::from_millis(300), Duration::from_millis(700), Duration::from_millis(1500)];
    let mut share = 0.0;
    for window in WINDOWS {
        share = busy_share(tree, window);
        if !(LIMIT / 2.0..LIMIT * 4.0).contains(&share) {
            break;
        }
    }
    if share < LIMIT {
        return Ok(());
    }
    bench.clue(Clue::Busy((share * 100.0) as u32));
    bench.clue(Clue::own(follow_up::WAITS_TO_WRITE, tree.waits_to_write().unwrap_or(0)));
    Err(Failure::new(
        format!("less than 5 % of a processor with {silent} silent clients connected"),
        format!("{:.0} %", share * 100.0),
    )
    .into())
}

/// The share of one processor that the program uses, of the time in which it could have had one.
fn busy_share(tree: Tree, window: Duration) -> f64 {
    let (began, before, total_before) =
        (Instant::now(), tree.effort(), tree.total_processor_time());
    std::thread::sleep(window); // the window is what is measured
    let passed = began.elapsed();
    let spent = tree.effort().unwrap_or_default().since(before.unwrap_or_default());
    // Clock ticks are coarse: they count only where they show what ended threads have used.
    let tick = Duration::from_millis(20);
    let total = tree
        .total_processor_time()
        .unwrap_or_default()
        .saturating_sub(total_before.unwrap_or_default())
        .saturating_sub(tick);
    let could_have = passed.saturating_sub(spent.queued.min(passed * 3 / 4));
    spent.ran.max(total).as_secs_f64() / could_have.as_secs_f64()
}

/// Somebody else has the port: that is a message for a person, not a panic.
pub(crate) fn reports_address_in_use(server: &Program) -> Outcome {
    let (address, ended) = server.launch_where_taken()?;

    let expected =
        format!("a message on stderr and an exit status other than 0, since {address} is taken");
    let succeeded = ended.exit.is_ok_and(|status| status.success());
    reports(&server.bench, &ended, expected, !succeeded)
}

/// What cannot be a port is answered with how to use the program.
pub(crate) fn reports_bad_arguments(server: &Program) -> Outcome {
    const USAGE: i32 = 2;
    let expected =
        |port: &str| format!("a usage line on stderr and exit status 2 for the port {port:?}");
    if !server.takes_a_port() {
        return Err(
            Failure::new(expected("abc"), "a command line without a place for a port").into()
        );
    }
    for port in ["abc", "70000", "-1", ""] {
        let ended = server.launch_with_port(port)?;
        let is_usage =
            ended.exit.is_ok_and(|status| status.code() == Some(USAGE)) && ended.says_usage();
        reports(&server.bench, &ended, expected(port), is_usage)?;
    }
    Ok(())
}

/// An error was reported in words: it ended, not by a panic, and said something on stderr.
pub(crate) fn reports(
    bench: &Bench,
    ended: &Ended,
    expected: String,
    right_status: bool,
) -> Outcome {
    let said = if ended.stderr.total() == 0 {
        "nothing on stderr".to_owned()
    } else {
        "a message on stderr".to_owned()
    };
    if !ended.panicked() && ended.exit.is_ok() && right_status && ended.stderr.total() > 0 {
        return Ok(());
    }
    let said_something = ended.stderr.total() > 0;
    bench.clue(Clue::Reported {
        status: ended.exit.ok(),
        panicked: ended.panicked(),
        said_something,
    });
    if ended.panicked() {
        return Err(Failure::new(expected, format!("a panic: {}", ended.describe())).into());
    }
    Err(Failure::new(expected, format!("{}, {said}", ended.describe())).into())
}
