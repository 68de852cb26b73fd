//! Several clients of one server.

use std::time::{Duration, Instant};

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
/// Where the answers take long, some clients wait for theirs at the same time. A limit of the
/// machine that is too low for them is a fault.
pub(crate) fn connect_one_by_one(
    running: &Server,
    dialogue: &dyn Dialogue,
    clients: usize,
    payload: &mut Payload,
) -> Result<Vec<Peer>, Stop> {
    machine::has_descriptors_for(clients)?;
    let mut served: Vec<Peer> = Vec::new();
    let mut pace = Pace::default();
    while served.len() < clients {
        let most = pace.at_once(served.len()).min(clients - served.len());
        let asked = ask_at_once(running, dialogue, most, payload).map_err(|stop| (stop, 0));
        pace.slow_down_unless(asked.as_ref().map_or(0, Vec::len) == most);
        let answered = asked.and_then(|asked| {
            let answered = (0..).zip(asked).map(|(before, (mut client, answer))| {
                client.expect(&answer).map(|()| client).map_err(|stop| (stop, before))
            });
            answered.collect::<Result<Vec<Peer>, (Stop, usize)>>()
        });
        match answered {
            Ok(answered) => served.extend(answered),
            Err((stop, before)) => {
                let tasks = running.tree().tasks().map_or(0, |tasks| tasks.threads);
                machine::has_room_for_tasks(tasks)?;
                return Err(stop.map(|failure| turned_away(served.len() + before, failure)));
            }
        }
    }
    Ok(served)
}

/// Connects some clients, each once the program has accepted the one before it, and asks the same
/// question for each: whether a server mixes up what clients say at the same time is another
/// matter. Returns them with the answer that each waits for: fewer where the program accepts
/// nothing meanwhile, or where that cannot be seen.
fn ask_at_once(
    running: &Server,
    dialogue: &dyn Dialogue,
    most: usize,
    payload: &mut Payload,
) -> Result<Vec<(Peer, Vec<u8>)>, Stop> {
    let question = dialogue.question(payload, FIRST);
    let answer = dialogue.answer(&question);
    let mut asked = Vec::new();
    while asked.len() < most {
        let next = running.connect().and_then(|client| client.send(&question).map(|()| client));
        let client = match next {
            Ok(client) => client,
            Err(stop) if asked.is_empty() => return Err(stop),
            Err(_) => break, // it shows again when the others are answered
        };
        let is_last = asked.len() + 1 == most || !client.is_accepted_soon();
        asked.push((client, answer.clone()));
        if is_last {
            break;
        }
    }
    Ok(asked)
}

/// How many clients wait for an answer at the same time: more where the answers take long.
#[derive(Debug)]
struct Pace {
    began: Instant,
    at_once: usize,
    /// Whether the program was seen to accept no client while it worked for another.
    is_held_up: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { began: Instant::now(), at_once: 1, is_held_up: false }
    }
}

impl Pace {
    /// Returns how many clients are to connect before the next answer is read.
    fn at_once(&mut self, served: usize) -> usize {
        /// From this time on, for each client that was served, the answers take long.
        const LONG: Duration = Duration::from_millis(100);
        const FEW: usize = 3;
        const FASTER: usize = 4;
        const MOST: usize = 128;
        let is_slow = served >= FEW && self.began.elapsed() > LONG * served as u32;
        let grows = !self.is_held_up && (is_slow || self.at_once > 1);
        self.at_once = if grows { (self.at_once * FASTER).min(MOST) } else { 1 };
        self.at_once
    }

    fn slow_down_unless(&mut self, all_were_accepted: bool) {
        self.is_held_up |= !all_were_accepted;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pace_after(seconds: u64) -> Pace {
        Pace { began: Instant::now() - Duration::from_secs(seconds), ..Pace::default() }
    }

    #[test]
    fn only_where_answers_take_long_several_clients_wait_at_the_same_time() {
        assert_eq!(Pace::default().at_once(3), 1);
        let mut slow = pace_after(2);
        assert_eq!(slow.at_once(2), 1);
        assert_eq!([3, 7, 23].map(|served| slow.at_once(served)), [4, 16, 64]);
    }

    #[test]
    fn a_program_that_accepts_nothing_meanwhile_is_asked_one_by_one() {
        let mut slow = pace_after(2);
        assert_eq!(slow.at_once(3), 4);
        slow.slow_down_unless(false);
        assert_eq!(slow.at_once(5), 1);
    }
}
