//! What is checked of the server that serves many clients in one thread: all that an echo server
//! must do, and what only readiness makes possible. The readable list first, then the checks; each
//! check's comment is the misconception that it detects.

pub(crate) mod mistakes;

use std::time::{Duration, Instant};

use crate::engine::bench::Bench;
use crate::engine::check::{Check, check};
use crate::engine::evidence::{Clue, on_failure};
use crate::engine::patience::{self, GaveUp, Limits, Patience, Proof, wait_for};
use crate::engine::payload::Payload;
use crate::engine::peer::Peer;
use crate::engine::program::{Program, Server};
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::fault::Fault;
use crate::observe::{CANNOT_SEE, Tree};
use crate::practicals::echo;
use crate::practicals::echo::server::{
    AFTERMATH, after, busy_with_silent, connect_one_by_one, uses_little_time,
};

/// It is an echo server, too: the same functions.
pub(crate) const AS_ECHO: [Check; echo::server::CHECKS.len()] =
    Check::of_another_program(echo::server::CHECKS, &["multiconn_server"]);

pub(crate) const CHECKS: &[Check] = &[
    check!(readiness, works_in_one_thread, multiconn_server),
    check!(readiness, serves_thousand_clients, multiconn_server),
    check!(readiness, rests_among_many_clients, multiconn_server),
    check!(readiness, stops_reading_when_owed, multiconn_server),
    check!(readiness, closes_idle_clients, multiconn_server),
];

/// A selector waits for all clients at once: a thread or a process for each of them is the other
/// way, and so is one that helps out when a client does not read.
fn works_in_one_thread(server: &Program) -> Outcome {
    const CLIENTS: usize = 20;
    let mut payload = server.bench.payload();
    let running = server.launch()?;
    let tree = running.tree();
    tree.tasks().ok_or_else(|| Stop::Unseen(CANNOT_SEE.to_owned()))?;

    let _clients = connect_one_by_one(&running, CLIENTS, &mut payload)?;
    is_one_thread(&server.bench, tree, &format!("with {CLIENTS} clients connected"))?;
    let not_reading = running.connect_with_small_buffer()?;
    not_reading.send_what_fits(server.bench.large_message())?;
    is_one_thread(&server.bench, tree, "with one more that does not read")
}

/// The program is a single thread at this moment.
pub(crate) fn is_one_thread(bench: &Bench, tree: Tree, when: &str) -> Outcome {
    let Some(tasks) = tree.tasks().filter(|tasks| tasks.processes > 1 || tasks.threads > 1) else {
        return Ok(());
    };
    bench.clue(Clue::own(mistakes::THREADS, tasks.threads));
    let threads = format!("{} threads", tasks.threads);
    let observed = if tasks.processes > 1 {
        format!("{} processes with {threads}", tasks.processes)
    } else {
        threads
    };
    Err(Failure::new(format!("one process with one thread {when}"), observed).into())
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

/// What is asked of a selector too often is answered at once, again and again: writability while
/// there is nothing to write, and everything else while one client is owed something and does not
/// read.
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
        on_failure(uses_little_time(&server.bench, tree, CLIENTS), |failure| {
            if let Ok(percent) = server.try_aside(|server| busy_with_silent(server, CLIENTS)).0 {
                server.bench.clue(Clue::BusyWithNobodyGone(percent));
            }
            after(failure.into(), "another client had sent much and read nothing")
        })?;
    }
    running.lives_on()
}

/// What a client does not read has to stay somewhere. A server that goes on reading from it keeps
/// it in its own memory, and has none left in the end; one that stops reading leaves it with the
/// client.
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

    let before = tree.resident_memory();
    // Where memory cannot be seen, only what it has taken tells.
    let grown =
        || before.zip(tree.resident_memory()).map_or(0, |(before, now)| now.saturating_sub(before));
    let mut looked_at = 0;
    let taken = client.flood(message, FLOOD / message.len(), |sent| {
        let look = sent >= looked_at + LOOK;
        looked_at = if look { sent } else { looked_at };
        look && grown() > MOST_MEMORY
    })?;
    if taken >= FLOOD || grown() > MOST_MEMORY {
        return Err(reads_on(&server.bench, taken, grown()));
    }
    let mut other =
        running.connect().map_err(|stop| after(stop, "a client had sent much and read nothing"))?;
    other
        .exchange(&payload.letters(9))
        .map_err(|stop| after(stop, "another client had sent much and read nothing"))?;
    comes_back(&mut client, message, taken)
}

fn reads_on(bench: &Bench, taken: usize, grown: u64) -> Stop {
    const MIB: u64 = 1024 * 1024;
    let taken = taken as u64 / MIB;
    bench.clue(Clue::own(mistakes::HAS_GROWN, (grown / MIB) as usize));
    let memory = if grown >= MIB {
        format!(", and has {} MiB more in memory", grown / MIB)
    } else {
        String::new()
    };
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

/// A time for `--idle`, as it is written on the command line and as it is meant.
struct Idle {
    word: &'static str,
    time: Duration,
}

/// One after the other, where the machine is too busy for the harness to keep its own time.
const IDLE: [Idle; 4] = [
    Idle { word: "0.5", time: Duration::from_millis(500) },
    Idle { word: "1.5", time: Duration::from_millis(1500) },
    Idle { word: "5", time: Duration::from_secs(5) },
    Idle { word: "15", time: Duration::from_secs(15) },
];

impl Idle {
    /// The talking client speaks this often …
    fn beat(&self) -> Duration {
        self.time / 10
    }

    /// … and where its last word and the answer to it lie this far back, the server cannot be
    /// blamed.
    fn gap(&self) -> Duration {
        self.time / 2
    }
}

/// Silence is counted from the client's last byte, for each client alone: not from its connect, and
/// not for all of them together.
fn closes_idle_clients(server: &Program) -> Outcome {
    for idle in &IDLE {
        if let Some(outcome) = closes_the_silent_only(server, idle)? {
            return outcome;
        }
    }
    Err(Fault("this machine is too busy: a client could not speak once in some seconds".to_owned())
        .into())
}

/// One try; `None` where the harness could not keep its own time.
fn closes_the_silent_only(server: &Program, idle: &Idle) -> Result<Option<Outcome>, Stop> {
    let mut payload = server.bench.payload();
    let told = server.with_arguments(&["--idle", idle.word]);
    let running = told.launch()?;
    let mut talker = Talker::connect(&running, idle)?;
    let (since_connect, silent) = (Instant::now(), running.connect()?);
    let mut quiet = running.connect()?;
    let since_message = Instant::now();
    quiet.exchange(&payload.letters(8))?;

    for (client, since, what) in
        [(&silent, since_connect, "has never spoken"), (&quiet, since_message, "has spoken once")]
    {
        let ended = talker.talk_until_ended(client, &mut payload);
        let lasted = since.elapsed();
        if ended.is_err() && talker.longest_gap > idle.gap() {
            return Ok(None);
        }
        if !talker.answered(ended)? {
            server.bench.clue(Clue::own(mistakes::KEPT_THE_SILENT, idle.time.as_millis() as usize));
            return Ok(Some(Err(kept(what, idle))));
        }
        if lasted < idle.time - Duration::from_millis(10) {
            return Ok(Some(Err(too_early(what, lasted, idle))));
        }
    }
    let served_on = talker.talk_on(&mut payload);
    Ok((talker.longest_gap <= idle.gap()).then(|| talker.answered(served_on)))
}

fn kept(what: &str, idle: &Idle) -> Stop {
    let word = idle.word;
    let expected = format!(
        "end of stream for a client that {what}, {word} s after that, since --idle {word} was given"
    );
    Failure::new(expected, "a connection that stays open").into()
}

fn too_early(what: &str, lasted: Duration, idle: &Idle) -> Stop {
    let expected =
        format!("--idle {} to leave a client that {what} its {} s", idle.word, idle.word);
    Failure::new(expected, format!("the end of its connection after {:.2} s", lasted.as_secs_f64()))
        .into()
}

/// A client that speaks all the time.
struct Talker<'a> {
    client: Peer,
    idle: &'a Idle,
    since: Instant,
    /// When it last began to speak.
    last: Instant,
    /// From there to the end of its next exchange, at the longest.
    longest_gap: Duration,
}

impl<'a> Talker<'a> {
    fn connect(running: &Server<'_>, idle: &'a Idle) -> Result<Self, Stop> {
        let now = Instant::now();
        Ok(Self {
            client: running.connect()?,
            idle,
            since: now,
            last: now,
            longest_gap: Duration::ZERO,
        })
    }

    /// Speaks if it is time to.
    fn beat(&mut self, payload: &mut Payload) -> Outcome {
        if self.last.elapsed() < self.idle.beat() {
            return Ok(());
        }
        let began = Instant::now();
        let answered = self.client.exchange(&payload.letters(4));
        self.longest_gap = self.longest_gap.max(self.last.elapsed());
        self.last = began;
        let often = self.idle.beat().as_millis();
        let context =
            format!("it had spoken every {often} ms and --idle {} was given", self.idle.word);
        answered.map_err(|stop| after(stop, &context))
    }

    /// Where the server let it down, and the harness did not, that says when.
    fn answered<T>(&self, talked: Result<T, Stop>) -> Result<T, Stop> {
        on_failure(talked, |failure| {
            let lasted = self.last.duration_since(self.since).as_millis() as usize;
            self.client.bench().clue(Clue::own(mistakes::ENDED_WHO_SPOKE, lasted));
            failure.into()
        })
    }

    /// Talks until another client's connection has ended, or a second longer than it should last;
    /// whether it has.
    fn talk_until_ended(&mut self, other: &Peer, payload: &mut Payload) -> Result<bool, Stop> {
        let bench = other.bench().clone();
        let limits = Limits::waiting(self.idle.time + Duration::from_secs(1));
        let seen = wait_for(Patience::new(&bench, limits, Proof::Nothing), |slice| {
            let step = self.beat(payload).and_then(|()| other.ended(slice));
            step.map(|ending| ending.map(|_| ())).transpose()
        });
        match seen {
            Ok(ended) => ended.map(|()| true),
            Err(GaveUp::Stuck | GaveUp::Waited(_) | GaveUp::Worked(_)) => Ok(false),
        }
    }

    /// Talks for as long as it must not be silent.
    fn talk_on(&mut self, payload: &mut Payload) -> Outcome {
        let until = Instant::now() + self.idle.time;
        while Instant::now() < until {
            std::thread::sleep(self.idle.beat()); // a pause between two messages is what is tried
            self.beat(payload)?;
        }
        Ok(())
    }
}
