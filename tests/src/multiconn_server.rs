//! What is checked of the server that serves many clients in one thread: all that an echo server must do, and what only
//! readiness makes possible. The readable list first, then the checks; each check's comment is the misconception that it
//! detects.

use std::time::{Duration, Instant};

use crate::echo_server::{self, AFTERMATH, after, connect_one_by_one, uses_little_time};
use crate::kernel::{CANNOT_SEE, Tree};
use crate::patience::{self, GaveUp, Limits, Patience, Proof, wait_for};
use crate::payload::Payload;
use crate::peer::Peer;
use crate::program::{Program, Server};
use crate::{Check, Failure, Fault, Outcome, Stop, check};

/// It is an echo server, too: the same functions.
pub(crate) const AS_ECHO: [Check; echo_server::CHECKS.len()] =
    Check::of_another_program(echo_server::CHECKS, &["multiconn_server"]);

pub(crate) const CHECKS: &[Check] = &[
    check!(readiness, works_in_one_thread, multiconn_server),
    check!(readiness, serves_thousand_clients, multiconn_server),
    check!(readiness, rests_among_many_clients, multiconn_server),
    check!(readiness, stops_reading_when_owed, multiconn_server),
    check!(readiness, closes_idle_clients, multiconn_server),
];

/// A selector waits for all clients at once: a thread or a process for each of them is the other way, and so is one that
/// helps out when a client does not read.
fn works_in_one_thread(server: &Program) -> Outcome {
    const CLIENTS: usize = 20;
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let tree = running.tree();
    tree.tasks().ok_or_else(|| Stop::Unseen(CANNOT_SEE.to_owned()))?;

    let _clients = connect_one_by_one(&running, CLIENTS, &mut payload)?;
    is_one_thread(tree, &format!("with {CLIENTS} clients connected"))?;
    let not_reading = running.connect_with_small_buffer()?;
    not_reading.send_what_fits(server.bench.large_message())?;
    is_one_thread(tree, "with one more that does not read")
}

/// The program is a single thread at this moment.
pub(crate) fn is_one_thread(tree: Tree, when: &str) -> Outcome {
    match tree.tasks() {
        Some(tasks) if tasks.processes > 1 || tasks.threads > 1 => Err(Failure::new(
            format!("one process with one thread {when}"),
            format!("{} process(es) with {} threads", tasks.processes, tasks.threads),
        )
        .into()),
        _ => Ok(()),
    }
}

/// A client costs a socket and a small buffer, not a stack: a thousand are no feat.
fn serves_thousand_clients(server: &Program) -> Outcome {
    const CLIENTS: usize = 1000;
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut clients = connect_one_by_one(&running, CLIENTS, &mut payload)?;

    let messages: Vec<Vec<u8>> = clients.iter().map(|_| payload.message(1..=40)).collect();
    for (client, message) in clients.iter().zip(&messages) {
        client.send(message)?;
    }
    for (client, message) in clients.iter_mut().zip(&messages) {
        client.expect(message)?;
    }
    Ok(())
}

/// What is asked of a selector too often is answered at once, again and again: writability while there is nothing to write, and
/// everything else while one client is owed something and does not read.
fn rests_among_many_clients(server: &Program) -> Outcome {
    const CLIENTS: usize = 100;
    let mut payload = server.bench.payload();
    let mut running = server.launch()?;
    let tree = running.tree();
    tree.effort().ok_or_else(|| Stop::Unseen(CANNOT_SEE.to_owned()))?;

    let _silent = connect_one_by_one(&running, CLIENTS, &mut payload)?;
    let not_reading = running.connect_with_small_buffer()?;
    not_reading.flood(server.bench.large_message(), 1, |_| false)?;

    if !patience::let_be(&server.bench, AFTERMATH, patience::STALLED) {
        uses_little_time(&server.bench, tree, CLIENTS)
            .map_err(|stop| after(stop, "another client had sent much and read nothing"))?;
    }
    running.lives_on()
}

/// What a client does not read has to stay somewhere. A server that goes on reading from it keeps it in its own memory, and has
/// none left in the end; one that stops reading leaves it with the client.
fn stops_reading_when_owed(server: &Program) -> Outcome {
    const FLOOD: usize = 256 * 1024 * 1024;
    const MOST_MEMORY: u64 = 32 * 1024 * 1024;
    /// Between two looks at the memory.
    const LOOK: usize = 4 * 1024 * 1024;
    let message = server.bench.large_message();
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let tree = running.tree();
    let mut client = running.connect()?;
    client.exchange(&payload.letters(12))?;

    let before = tree.resident_memory().unwrap_or_default();
    let grown = || tree.resident_memory().unwrap_or_default().saturating_sub(before);
    let mut looked_at = 0;
    let taken = client.flood(message, FLOOD / message.len(), |sent| {
        let look = sent >= looked_at + LOOK;
        looked_at = if look { sent } else { looked_at };
        look && grown() > MOST_MEMORY
    })?;
    if taken >= FLOOD || grown() > MOST_MEMORY {
        return Err(reads_on(taken, grown()));
    }
    let mut other = running.connect().map_err(|stop| after(stop, "a client had sent much and read nothing"))?;
    other.exchange(&payload.letters(9)).map_err(|stop| after(stop, "another client had sent much and read nothing"))?;
    comes_back(&mut client, message, taken)
}

fn reads_on(taken: usize, grown: u64) -> Stop {
    const MIB: u64 = 1024 * 1024;
    let taken = taken as u64 / MIB;
    let memory = if grown >= MIB { format!(", and has {} MiB more in memory", grown / MIB) } else { String::new() };
    Failure::new(
        "a server that stops reading from a client that does not read",
        format!("a server that has taken {taken} MiB from it{memory}"),
    )
    .into()
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

// ---- idle clients ----

/// The argument of `--idle`, and the time that it means.
const IDLE: (&str, Duration) = ("0.5", Duration::from_millis(500));

/// The talking client speaks this often …
const BEAT: Duration = Duration::from_millis(50);

/// … and where the harness itself was kept from speaking for this long, the server cannot be blamed.
const GAP: Duration = Duration::from_millis(250);

/// Silence is counted from the client's last byte, for each client alone: not from its connect, and not for all of them together.
fn closes_idle_clients(server: &Program) -> Outcome {
    const ATTEMPTS: usize = 5;
    let told = server.with_arguments(&["--idle", IDLE.0]);
    for _ in 0..ATTEMPTS {
        if let Some(outcome) = closes_the_silent_only(&told)? {
            return outcome;
        }
    }
    Err(Fault(format!("this machine is too busy: a client could not speak every {} ms", BEAT.as_millis())).into())
}

/// One try; `None` where the harness could not keep its own time.
fn closes_the_silent_only(server: &Program) -> Result<Option<Outcome>, Stop> {
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let mut talker = Talker::connect(&running)?;
    let (since_connect, silent) = (Instant::now(), running.connect()?);
    let mut quiet = running.connect()?;
    let since_message = Instant::now();
    quiet.exchange(&payload.letters(8))?;

    for (client, since, what) in
        [(&silent, since_connect, "has never spoken"), (&quiet, since_message, "has spoken once")]
    {
        let ended = talker.talk_until_ended(client, &mut payload);
        if talker.longest_gap > GAP {
            return Ok(None);
        }
        let lasted = since.elapsed();
        if !ended? {
            return Ok(Some(Err(kept(what))));
        }
        if lasted < IDLE.1 - Duration::from_millis(10) {
            return Ok(Some(Err(too_early(what, lasted))));
        }
    }
    let served_on = talker.talk_for(IDLE.1, &mut payload);
    Ok((talker.longest_gap <= GAP).then_some(served_on))
}

fn kept(what: &str) -> Stop {
    Failure::new(
        format!("end of stream for a client that {what}, {} s after that, since --idle {} was given", IDLE.0, IDLE.0),
        "a connection that stays open",
    )
    .into()
}

fn too_early(what: &str, lasted: Duration) -> Stop {
    let expected = format!("--idle {} to leave a client that {what} its {} s", IDLE.0, IDLE.0);
    Failure::new(expected, format!("the end of its connection after {:.2} s", lasted.as_secs_f64())).into()
}

/// A client that speaks all the time.
struct Talker {
    client: Peer,
    last: Instant,
    longest_gap: Duration,
}

impl Talker {
    fn connect(running: &Server<'_>) -> Result<Self, Stop> {
        Ok(Self { client: running.connect()?, last: Instant::now(), longest_gap: Duration::ZERO })
    }

    /// Speaks if it is time to.
    fn beat(&mut self, payload: &mut Payload) -> Outcome {
        if self.last.elapsed() < BEAT {
            return Ok(());
        }
        self.longest_gap = self.longest_gap.max(self.last.elapsed());
        self.last = Instant::now();
        let context = format!("it had spoken every {} ms and --idle {} was given", BEAT.as_millis(), IDLE.0);
        self.client.exchange(&payload.letters(4)).map_err(|stop| after(stop, &context))
    }

    /// Talks until another client's connection has ended, or a second longer than it should last; whether it has.
    fn talk_until_ended(&mut self, other: &Peer, payload: &mut Payload) -> Result<bool, Stop> {
        let bench = other.bench().clone();
        let limits = Limits::waiting(IDLE.1 + Duration::from_secs(1));
        let seen = wait_for(Patience::new(&bench, limits, Proof::Nothing), |slice| {
            let step = self.beat(payload).and_then(|()| other.ended(slice));
            step.map(|ending| ending.map(|_| ())).transpose()
        });
        match seen {
            Ok(ended) => ended.map(|()| true),
            Err(GaveUp::Stuck | GaveUp::Waited(_) | GaveUp::Worked(_)) => Ok(false),
        }
    }

    fn talk_for(&mut self, time: Duration, payload: &mut Payload) -> Outcome {
        let until = Instant::now() + time;
        while Instant::now() < until {
            std::thread::sleep(BEAT); // a pause between two messages is what is tried
            self.beat(payload)?;
        }
        Ok(())
    }
}
