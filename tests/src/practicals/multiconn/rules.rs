//! What names the mistakes that only programs with a selector make. All other mistakes of the
//! server are an echo server's.

use super::client::{MostConnections, TakesFirstPiece};
use super::idle::{EndedWhoSpoke, KeptTheSilent};
use super::one_thread::Threads;
use super::server::HasGrown;
use crate::engine::diagnose::{Failed, Findings, Rule, cause, rule};
use crate::engine::difference::{Deviation, bytes};
use crate::engine::transcript::show;
use crate::engine::verdict::Diagnosis;
use crate::practicals::shared::clients;
use crate::practicals::shared::echo_server::facts::{
    ClosesAfterAll, RestComesWithMore, ServedOnceTheOtherHadGone, Size,
};
use crate::practicals::shared::echo_server::the_end_comes;
use crate::practicals::shared::reports::hidden_failures;
use crate::practicals::shared::rest::{BusyWithNobodyGone, WaitsToWrite, busy};

/// The server's, in the order in which a student should hear of them.
pub(super) const SERVER: &[Rule] = &[
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

/// The client's.
pub(super) const CLIENT: &[Rule] = &[
    cause!(client_one_after_another),
    rule!(client_thread_for_each),
    rule!(client_adds_newline),
    cause!(client_waits_for_reply),
    rule!(client_takes_first_piece),
    cause!(client_fixed_order),
    cause!(client_tells_otherwise),
    rule!(client_hides_failure),
    rule!(client_small_table),
];

// ---- the server ----

fn closes_on_would_block(findings: &Findings<'_>) -> Option<Diagnosis> {
    let checks = ["echoes_message_after_message", "echoes_byte_by_byte"];
    let longest = findings.failed(checks[0])?.fact(|ClosesAfterAll(longest)| Some(longest))?;
    let because = format!(
        "your server closes the connection after its first reply, for short and long messages: \
         {longest} bytes come back whole, and then the stream ends"
    );
    findings.name("closes_on_would_block", because, &checks)
}

fn reads_once_per_event(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "echoes_every_size";
    let failed = findings.failed(check)?;
    let rest = failed.fact(|RestComesWithMore(rest)| Some(bytes(*rest)))?;
    let Size { bad, came, .. } =
        failed.fact(|size: &Size| (size.came > 0 && !size.longer_works).then_some(size))?;
    let because = format!(
        "your server sent back {came} of {bad} bytes; {rest} stayed in the socket \
         until the client sent another message"
    );
    findings.name("reads_once_per_event", because, &[check])
}

fn overwrites_pending(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "echoes_large_message";
    let failed = findings
        .failed(check)
        .filter(|failed| !failed.died() && the_end_comes(*failed) == Some(true))?;
    let difference = failed.difference()?;
    let is_lost = matches!(
        difference.deviation,
        Deviation::Lost(_) | Deviation::OutOfOrder | Deviation::Changed | Deviation::Short(_)
    );
    let because = format!(
        "a client that reads late misses bytes after the first {}, \
         but gets the end of the message",
        difference.at
    );
    if is_lost { findings.name("overwrites_pending", because, &[check]) } else { None }
}

fn blocks_in_one_client(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "outlasts_slow_reader";
    findings.failed(check).filter(|failed| failed.has(&ServedOnceTheOtherHadGone))?;
    let because = "one client did not read, \
                   and another client got its reply only after the first had disconnected";
    findings.name("blocks_in_one_client", because, &[check])
}

/// The rule of an echo server, with one more check.
fn few_clients(findings: &Findings<'_>) -> Option<Diagnosis> {
    let checks = [
        "serves_clients_at_once",
        "keeps_clients_apart",
        "holds_many_clients",
        "serves_thousand_clients",
    ];
    clients::few_clients(findings, &checks)
}

fn spins_on_writable(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "rests_when_idle";
    let failed = findings.failed(check)?;
    let sockets = failed.fact(|WaitsToWrite(sockets)| (*sockets > 0).then_some(sockets))?;
    let percent = busy(failed)?;
    let because = format!(
        "your server used {percent} % of a processor while all clients were silent, \
         and its selector watched {sockets} sockets for writability"
    );
    findings.name("spins_on_writable", because, &[check])
}

/// Names a server that rests while it has nothing to send, with any number of clients.
fn spins_while_owed(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "rests_among_many_clients";
    let failed = findings.failed(check).filter(|_| findings.passed("rests_when_idle"))?;
    let rests = |alone: &BusyWithNobodyGone| alone.is_little().then_some(());
    let percent = failed.fact(rests).and_then(|()| busy(failed))?;
    let because = format!(
        "your server used {percent} % of a processor while it had data for a client \
         that did not read; with the silent clients alone, it rests"
    );
    findings.name("spins_while_owed", because, &[check])
}

/// Names a server whose memory grows. One that throws bytes away has another mistake.
fn unbounded_buffer(findings: &Findings<'_>) -> Option<Diagnosis> {
    const MUCH: usize = 32;
    let check = "stops_reading_when_owed";
    let grown = findings.failed(check)?.fact(|HasGrown(mib)| (*mib >= MUCH).then_some(mib))?;
    let because =
        format!("a client sent without reading, and your server's memory grew by {grown} MiB");
    findings.name("unbounded_buffer", because, &[check])
}

/// How many clients, or connections, there are when threads are counted.
const COUNTED: usize = 20;

/// Returns the number of threads, where it is one for each connection or more.
fn threads(findings: &Findings<'_>, check: &str) -> Option<usize> {
    findings.failed(check)?.fact(|Threads(number)| (*number >= COUNTED).then_some(*number))
}

fn thread_per_client(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "works_in_one_thread";
    let threads = threads(findings, check)?;
    let because = format!("with {COUNTED} clients connected, your server had {threads} threads");
    findings.name("thread_per_client", because, &[check])
}

const IDLE: &str = "closes_idle_clients";

/// Returns the time that silent clients were kept, and after which one that spoke was ended, in
/// seconds, where the server lives on.
fn idle(findings: &Findings<'_>) -> Option<(Option<f64>, Option<f64>)> {
    let failed = findings.failed(IDLE).filter(|failed| !failed.died())?;
    let seconds = |milliseconds: &u128| *milliseconds as f64 / 1000.0;
    let kept = failed.fact(|KeptTheSilent(given)| Some(seconds(given)));
    Some((kept, failed.fact(|EndedWhoSpoke(lasted)| Some(seconds(lasted)))))
}

fn ignores_idle(findings: &Findings<'_>) -> Option<Diagnosis> {
    let (Some(given), None) = idle(findings)? else { return None };
    let because = format!(
        "with --idle {given}, your server kept a silent client connected \
         for 1 s longer than that"
    );
    findings.name("ignores_idle", because, &[IDLE])
}

fn idle_from_connect(findings: &Findings<'_>) -> Option<Diagnosis> {
    let (None, Some(lasted)) = idle(findings)? else { return None };
    let because = format!(
        "a client sent messages all the time, but your server ended its connection \
         {lasted:.1} s after it connected"
    );
    findings.name("idle_from_connect", because, &[IDLE])
}

// ---- the client ----

fn client_thread_for_each(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "client_works_in_one_thread";
    let threads = threads(findings, check)?;
    let because = format!("with {COUNTED} connections open, your client had {threads} threads");
    findings.name("client_thread_for_each", because, &[check])
}

fn client_adds_newline(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "client_sends_both_messages";
    let difference = findings.failed(check)?.difference()?;
    let wrong = difference.wrong();
    let is_newline = wrong.starts_with(b"\n") || wrong.starts_with(b"\r\n");
    let (at, shown) = (difference.at, show(wrong, 4));
    let because = format!("after the first {at} bytes, your client sent {shown}");
    if is_newline { findings.name("client_adds_newline", because, &[check]) } else { None }
}

const PIECES: &str = "client_counts_pieces";
const CUT: &str = "client_reports_cut_connection";

fn client_takes_first_piece(findings: &Findings<'_>) -> Option<Diagnosis> {
    findings.failed(PIECES).filter(|failed| failed.has(&TakesFirstPiece))?;
    let because = "your client closed a connection after the first byte of its reply";
    findings.name("client_takes_first_piece", because, &[PIECES, CUT])
}

/// A client that takes a part of a reply for the whole does not notice the cut, so it hides
/// nothing.
fn client_hides_failure(findings: &Findings<'_>) -> Option<Diagnosis> {
    let counts = |failed: &Failed<'_>| failed.id() != CUT || findings.passed(PIECES);
    let mut hidden = hidden_failures(findings, &["client_reports_refusal", CUT]);
    hidden.retain(counts);
    let because = match hidden.first()?.id() {
        CUT => "one connection was cut, but your client's exit status was 0",
        _ => "no server was listening, but your client's exit status was 0",
    };
    let checks: Vec<&str> = hidden.into_iter().map(Failed::id).collect();
    findings.name("client_hides_failure", because, &checks)
}

/// A limit of the server is not the client's mistake.
fn client_small_table(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "hundred_connections_agree";
    let most =
        findings.failed(check)?.fact(|MostConnections(most)| (*most > 1).then_some(*most))?;
    let is_servers =
        |failed: Failed<'_>| failed.id() != check && !failed.id().starts_with("client");
    if findings.all_failed().any(is_servers) {
        return None;
    }
    let because = format!("{most} connections at once work, but {} do not", most + 1);
    findings.name("client_small_table", because, &[check])
}
