//! What a server does at the end of a conversation, and between conversations.

use crate::engine::diagnose::{Failed, Findings};
use crate::engine::difference::{Deviation, bytes};
use crate::engine::program::NotRestarted;
use crate::engine::verdict::Diagnosis;
use crate::practicals::shared::echo_server::facts::{
    AtTheEnd, HalfClose, LeftOpen, ListensAgainWithNothingLeft,
};
use crate::practicals::shared::rest::{BusyWithNobodyGone, WaitsToWrite, busy};

const FLUSHES: &str = "flushes_before_close";
const RESTS: &str = "rests_when_idle";
const CLOSES: &str = "closes_after_client";
const RESET: &str = "survives_reset";
const EMPTY: &str = "survives_empty_connection";

fn half_close<'a>(findings: &Findings<'a>) -> Option<&'a HalfClose> {
    findings.failed(FLUSHES)?.facts().next()
}

/// A server may end, too, when it loses what it owes.
pub(super) fn drops_data_at_end(findings: &Findings<'_>) -> Option<Diagnosis> {
    let failed = findings.failed(FLUSHES)?;
    let ending = half_close(findings).filter(|half| !half.complete)?.ending?;
    let is_short = matches!(failed.difference()?.deviation, Deviation::Short(_));
    let difference = failed.difference().filter(|_| is_short && ending.is_closed())?;
    let (came, all) = (difference.observed_length, bytes(difference.expected_length));
    let because = format!(
        "after a half-close, the client received {came} of {all}, then {ending}; \
         without a half-close, it receives all of them"
    );
    findings.name("drops_data_at_end", because, &[FLUSHES])
}

/// Returns how busy the server is after a client's end of stream, in per cent, where the check
/// found that it reads on.
fn reads_on(failed: Failed<'_>) -> Option<u32> {
    failed.fact(|at_the_end| match at_the_end {
        AtTheEnd::ReadsOn(percent) => Some(*percent),
        AtTheEnd::Rests => None,
    })
}

pub(super) fn reads_past_the_end(findings: &Findings<'_>) -> Option<Diagnosis> {
    let checks = ["serves_next_client", CLOSES, FLUSHES, RESTS];
    let failed: Vec<Failed<'_>> = findings
        .failed_of(&checks)
        .into_iter()
        .filter(|failed| reads_on(*failed).is_some())
        .collect();
    let percent = failed.iter().find_map(|failed| reads_on(*failed))?;
    let because = format!(
        "after its client had closed, your server used {percent} % of a processor \
         and kept the client's socket, in CLOSE_WAIT; before, it had rested"
    );
    let explains = |failed: &&Failed<'_>| failed.id() != FLUSHES || is_only_not_closed(findings);
    let explained: Vec<&str> = failed.iter().filter(explains).map(|failed| failed.id()).collect();
    findings.name("reads_past_the_end", because, &explained)
}

/// Returns whether only the end of the stream is missing after a half-close.
fn is_only_not_closed(findings: &Findings<'_>) -> bool {
    half_close(findings)
        .is_some_and(|half| half.complete && half.ending.is_some_and(|ending| ending.is_silence()))
}

/// Returns whether it is busy only because of clients that have ended their side; `None` where that
/// is not known.
fn is_busy_with_the_gone(findings: &Findings<'_>) -> Option<bool> {
    findings.failed(RESTS)?.fact(|busy: &BusyWithNobodyGone| Some(busy.is_little()))
}

pub(super) fn never_closes(findings: &Findings<'_>) -> Option<Diagnosis> {
    let failed = findings.failed(CLOSES).filter(|failed| failed.has(&AtTheEnd::Rests))?;
    let left = failed.fact(|LeftOpen(count)| (*count > 0).then_some(count))?;
    let because = format!(
        "2 s after its clients closed, your server still held {left} of their sockets, \
         in CLOSE_WAIT"
    );
    let explained: Vec<&str> = [
        (CLOSES, true),
        (FLUSHES, is_only_not_closed(findings)),
        (RESTS, is_busy_with_the_gone(findings) == Some(true)),
    ]
    .into_iter()
    .filter_map(|(check, explained)| explained.then_some(check))
    .collect();
    findings.name("never_closes", because, &explained)
}

pub(super) fn dies_on_empty(findings: &Findings<'_>) -> Option<Diagnosis> {
    let exit = findings.failed(EMPTY)?.death()?;
    let because =
        format!("clients connected and closed without sending, and your server stopped: {exit}");
    findings.name("dies_on_empty", because, &[EMPTY])
}

pub(super) fn dies_on_reset(findings: &Findings<'_>) -> Option<Diagnosis> {
    let exit = findings.failed(RESET)?.death()?;
    let because = format!("a client reset its connection, and your server stopped: {exit}");
    findings.name("dies_on_reset", because, &[RESET])
}

pub(super) fn one_bad_client_stops_all(findings: &Findings<'_>) -> Option<Diagnosis> {
    let failed = findings.failed(RESET).filter(|failed| !failed.died())?;
    let is_unserved = failed.difference().is_none_or(|difference| difference.observed_length == 0);
    let lives_on = findings.failed(EMPTY).is_some_and(|failed| !failed.died());
    let checks: &[&str] = if lives_on { &[RESET, EMPTY] } else { &[RESET] };
    let because = format!(
        "a client reset its connection; your server is still running, \
         but another client got {}",
        failed.failure.observed
    );
    if is_unserved { findings.name("one_bad_client_stops_all", because, checks) } else { None }
}

/// It listens again if nothing is left of a connection. So what is left of one is the cause.
pub(super) fn holds_the_port(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "restarts_on_same_port";
    let failed =
        findings.failed(check).filter(|failed| failed.has(&ListensAgainWithNothingLeft))?;
    let NotRestarted { reuses_address } = failed.facts().next()?;
    let option = match reuses_address {
        Some(false) => "does not have SO_REUSEADDR",
        Some(true) => "has SO_REUSEADDR, but did not have it yet when your server bound the port",
        None => return None,
    };
    let because = format!(
        "your server's listening socket {option}, \
         and your server could not listen again on the same port"
    );
    findings.name("holds_the_port", because, &[check])
}

/// Other reasons to be busy have their own names, so the rule must first exclude them.
pub(super) fn spins(findings: &Findings<'_>) -> Option<Diagnosis> {
    let knows_selector = |failed: &Failed<'_>| failed.facts::<WaitsToWrite>().next().is_some();
    let percent = busy(findings.failed(RESTS).filter(knows_selector)?)?;
    let explained = is_busy_with_the_gone(findings)? && !findings.passed("closes_after_client");
    let because =
        format!("your server used {percent} % of a processor while all clients were silent");
    let reads_on = findings.failed(RESTS).and_then(reads_on).is_some();
    if explained || reads_on { None } else { findings.name("spins", because, &[RESTS]) }
}
