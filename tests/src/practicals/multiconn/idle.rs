//! A server that closes the connections of silent clients.

use std::time::{Duration, Instant};

use crate::engine::payload::Payload;
use crate::engine::peer::Peer;
use crate::engine::program::{Program, Server};
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::engine::wait::{Deadline, Proof, Timeout, Wait, wait_for};
use crate::fault::Fault;

/// A fact: a silent client's connection was still open after `--idle` with this many milliseconds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeptTheSilent(pub(super) u128);

/// A fact: the connection of a client that spoke all the time failed, this many milliseconds after
/// it was made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EndedWhoSpoke(pub(super) u128);

/// A time for `--idle`, as a word for the command line and as a duration.
struct Idle {
    word: &'static str,
    time: Duration,
}

/// Tried one after another while the machine is too busy for the harness to keep its own time.
const IDLE: [Idle; 4] = [
    Idle { word: "0.5", time: Duration::from_millis(500) },
    Idle { word: "1.5", time: Duration::from_millis(1500) },
    Idle { word: "5", time: Duration::from_secs(5) },
    Idle { word: "15", time: Duration::from_secs(15) },
];

impl Idle {
    /// How often the talking client speaks.
    fn beat(&self) -> Duration {
        self.time / 10
    }

    /// Where the talking client's last word and the answer to it lie further back than this, the
    /// server cannot be blamed.
    fn gap(&self) -> Duration {
        self.time / 2
    }
}

/// Silence is counted from the client's last byte, for each client alone: not from its connect, and
/// not for all of them together.
pub(super) fn closes_idle_clients(server: &Program) -> Outcome {
    for idle in &IDLE {
        if let Some(outcome) = closes_the_silent_only(server, idle)? {
            return outcome;
        }
    }
    let why = "this machine is too busy: the grader's client could not send for several seconds";
    Err(Fault(why.to_owned()).into())
}

/// Tries once; `None` where the harness could not keep its own time.
fn closes_the_silent_only(server: &Program, idle: &Idle) -> Result<Option<Outcome>, Stop> {
    let mut payload = server.payload();
    let told = server.with_arguments(&["--idle", idle.word]);
    let running = told.launch()?;
    let mut talker = Talker::connect(&running, idle)?;
    let (since_connect, silent) = (Instant::now(), running.connect()?);
    let mut quiet = running.connect()?;
    let since_message = Instant::now();
    quiet.exchange(&payload.letters(8))?;

    for (client, since, what) in
        [(&silent, since_connect, "connected"), (&quiet, since_message, "sent its only message")]
    {
        let ended = talker.talk_until_ended(client, &mut payload);
        let lasted = since.elapsed();
        if ended.is_err() && talker.longest_gap > idle.gap() {
            return Ok(None);
        }
        if let Some(timeout) = talker.answered(ended)? {
            return Ok(Some(Err(kept(what, idle).at(timeout.snapshot).into())));
        }
        if lasted < idle.time - Duration::from_millis(10) {
            return Ok(Some(Err(too_early(what, lasted, idle).into())));
        }
    }
    let served_on = talker.talk_on(&mut payload);
    Ok((talker.longest_gap <= idle.gap()).then(|| talker.answered(served_on)))
}

fn kept(what: &str, idle: &Idle) -> Failure {
    let word = idle.word;
    let expected = format!(
        "end of stream for a silent client, {word} s after it {what}, because of --idle {word}"
    );
    Failure::new(expected, "a connection that stays open")
        .with(KeptTheSilent(idle.time.as_millis()))
}

fn too_early(what: &str, lasted: Duration, idle: &Idle) -> Failure {
    let word = idle.word;
    let expected =
        format!("an open connection for {word} s after a client {what}, because of --idle {word}");
    let lasted = lasted.as_secs_f64();
    Failure::new(expected, format!("the end of the connection after {lasted:.2} s"))
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
    fn connect(running: &Server, idle: &'a Idle) -> Result<Self, Stop> {
        let now = Instant::now();
        let client = running.connect()?;
        Ok(Self { client, idle, since: now, last: now, longest_gap: Duration::ZERO })
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
        let (often, word) = (self.idle.beat().as_millis(), self.idle.word);
        let context = format!("it sent a message every {often} ms, with --idle {word}");
        answered.map_err(|stop| stop.after(&context))
    }

    /// Adds to a failure when the client last began to speak.
    fn answered<T>(&self, talked: Result<T, Stop>) -> Result<T, Stop> {
        let lasted = self.last.duration_since(self.since).as_millis();
        talked.map_err(|stop| stop.with(EndedWhoSpoke(lasted)))
    }

    /// Talks until another client's connection has ended, or a second longer than it should last.
    /// Returns the timeout if it has not ended.
    fn talk_until_ended(
        &mut self,
        other: &Peer,
        payload: &mut Payload,
    ) -> Result<Option<Timeout>, Stop> {
        let deadline = Deadline::waiting(self.idle.time + Duration::from_secs(1));
        let wait = Wait::new(other.context(), deadline, Proof::Nothing);
        let seen = wait_for(wait, |slice| {
            let step = self.beat(payload).and_then(|()| other.ended(slice));
            step.map(|ending| ending.map(|_| ())).transpose()
        });
        match seen {
            Ok(ended) => ended.map(|()| None),
            Err(timeout) => Ok(Some(timeout)),
        }
    }

    /// Talks for as long as it must not be silent.
    fn talk_on(&mut self, payload: &mut Payload) -> Outcome {
        let until = Instant::now() + self.idle.time;
        while Instant::now() < until {
            std::thread::sleep(self.idle.beat()); // the pause between two messages is what is tried
            self.beat(payload)?;
        }
        Ok(())
    }
}
