//! The mistakes that only a server with a selector makes; all others are an echo server's.

use crate::engine::compare;
use crate::engine::compare::Deviation;
use crate::engine::diagnose::{Rule, Seen, rule};
use crate::engine::evidence::Clue;
use crate::engine::verdict::Diagnosis;
use crate::practicals::echo::server::follow_up::{
    CLOSES_AFTER_ALL, REST_COMES_WITH_MORE, SERVED_ONCE_THE_OTHER_HAD_GONE, WAITS_TO_WRITE,
};
use crate::practicals::echo::server::mistakes::{few_clients_in, the_end_comes};

/// So many threads ran.
pub(crate) const THREADS: &str = "threads";

/// Its memory had grown by so many MiB.
pub(super) const HAS_GROWN: &str = "has grown";

/// A silent client's connection was still open, so many milliseconds having been given.
pub(super) const KEPT_THE_SILENT: &str = "kept the silent";

/// The connection of a client that spoke all the time failed, so many milliseconds after it was
/// made.
pub(super) const ENDED_WHO_SPOKE: &str = "ended who spoke";

/// In the order in which a student should hear of them.
pub(crate) const RULES: &[Rule] = &[
    rule!(closes_on_would_block),
    rule!(reads_once_per_event),
    rule!(overwrites_pending),
    rule!(blocks_in_one_client),
    rule!(few_clients),
    rule!(spins_on_writable),
    rule!(spins_while_owed),
    rule!(unbounded_buffer),
    rule!(thread_per_client),
    rule!(ignores_idle),
    rule!(idle_from_connect),
];

fn closes_on_would_block(seen: &Seen<'_>) -> Option<Diagnosis> {
    let checks = ["echoes_message_after_message", "echoes_byte_by_byte"];
    let longest = seen.failed(checks[0])?.own(CLOSES_AFTER_ALL)?;
    let because = format!(
        "it closes after its first reply, however long the message was: {longest} bytes come back whole, and then the stream ends"
    );
    seen.name("closes_on_would_block", because, &checks)
}

fn reads_once_per_event(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "echoes_every_size";
    let failed = seen.failed(check)?;
    let rest = failed.own(REST_COMES_WITH_MORE)?;
    let (bad, came) = failed.clue(|clue| match clue {
        Clue::Size { bad, came: came @ 1.., longer_works: false, .. } => Some((*bad, *came)),
        _ => None,
    })?;
    let because = format!(
        "of {bad} bytes {came} come back; {} stayed in the socket, and came back when the client spoke again",
        compare::bytes(rest)
    );
    seen.name("reads_once_per_event", because, &[check])
}

fn overwrites_pending(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "echoes_large_message";
    let failed = seen
        .failed(check)
        .filter(|failed| !failed.died() && the_end_comes(*failed) == Some(true))?;
    let at = failed.difference().filter(|difference| {
        matches!(
            difference.deviation,
            Deviation::Lost(_) | Deviation::OutOfOrder | Deviation::Changed | Deviation::Short(_)
        )
    })?;
    let because = format!(
        "to a client that reads late, bytes are missing after the first {}; the end of the message comes all the same",
        at.at
    );
    seen.name("overwrites_pending", because, &[check])
}

fn blocks_in_one_client(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "outlasts_slow_reader";
    seen.failed(check)?.own(SERVED_ONCE_THE_OTHER_HAD_GONE)?;
    let because = "as long as one client did not read, another one got no reply; it got it as soon as the first had gone";
    seen.name("blocks_in_one_client", because, &[check])
}

/// As of an echo server, with one check more.
fn few_clients(seen: &Seen<'_>) -> Option<Diagnosis> {
    let checks = [
        "serves_clients_at_once",
        "keeps_clients_apart",
        "holds_many_clients",
        "serves_thousand_clients",
    ];
    few_clients_in(seen, &checks)
}

fn spins_on_writable(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "rests_when_idle";
    let sockets = seen.failed(check)?.own(WAITS_TO_WRITE).filter(|sockets| *sockets > 0)?;
    let percent = busy(seen, check)?;
    let because = format!(
        "while nobody spoke it used {percent} % of a processor, and its selector was asked for {sockets} sockets that can be written to"
    );
    seen.name("spins_on_writable", because, &[check])
}

fn busy(seen: &Seen<'_>, check: &str) -> Option<u32> {
    seen.failed(check)?
        .clue(|clue| if let Clue::Busy(percent) = clue { Some(*percent) } else { None })
}

/// It rests where nobody is owed anything, be there as many clients.
fn spins_while_owed(seen: &Seen<'_>) -> Option<Diagnosis> {
    const LITTLE: u32 = 3;
    let check = "rests_among_many_clients";
    let percent = busy(seen, check).filter(|_| seen.passed("rests_when_idle"))?;
    seen.failed(check)?.clue(|clue| match clue {
        Clue::BusyWithNobodyGone(percent) if *percent <= LITTLE => Some(()),
        _ => None,
    })?;
    let because = format!(
        "while one client was owed something and did not read, it used {percent} % of a processor; with as many silent clients alone it rests"
    );
    seen.name("spins_while_owed", because, &[check])
}

/// What was taken is kept; where it is thrown away, something else is wrong.
fn unbounded_buffer(seen: &Seen<'_>) -> Option<Diagnosis> {
    const MUCH: usize = 32;
    let check = "stops_reading_when_owed";
    let grown = seen.failed(check)?.own(HAS_GROWN).filter(|grown| *grown >= MUCH)?;
    let because = format!(
        "a client sent without reading, and the server has {grown} MiB more in memory than before"
    );
    seen.name("unbounded_buffer", because, &[check])
}

fn thread_per_client(seen: &Seen<'_>) -> Option<Diagnosis> {
    const CLIENTS: usize = 20;
    let check = "works_in_one_thread";
    let threads = seen.failed(check)?.own(THREADS).filter(|threads| *threads >= CLIENTS)?;
    let because = format!("with {CLIENTS} clients connected it had {threads} threads");
    seen.name("thread_per_client", because, &[check])
}

const IDLE: &str = "closes_idle_clients";

fn ignores_idle(seen: &Seen<'_>) -> Option<Diagnosis> {
    let failed = seen
        .failed(IDLE)
        .filter(|failed| failed.own(ENDED_WHO_SPOKE).is_none() && !failed.died())?;
    let given = failed.own(KEPT_THE_SILENT)? as f64 / 1000.0;
    let because = format!(
        "--idle {given} was given, and a second after that time a silent client was still connected"
    );
    seen.name("ignores_idle", because, &[IDLE])
}

fn idle_from_connect(seen: &Seen<'_>) -> Option<Diagnosis> {
    let failed = seen
        .failed(IDLE)
        .filter(|failed| failed.own(KEPT_THE_SILENT).is_none() && !failed.died())?;
    let lasted = failed.own(ENDED_WHO_SPOKE)? as f64 / 1000.0;
    let because = format!(
        "a client spoke all the time, and its connection ended all the same, {lasted:.1} s after it was made"
    );
    seen.name("idle_from_connect", because, &[IDLE])
}
