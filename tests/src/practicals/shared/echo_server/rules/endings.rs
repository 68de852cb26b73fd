//! What a server does at the end of a conversation, and between conversations.

use crate::engine::diagnose::{Failed, Findings};
use crate::engine::difference::{Deviation, bytes};
use crate::engine::program::NotRestarted;
use crate::engine::verdict::Diagnosis;
use crate::practicals::shared::echo_server::facts::{HalfClose, LeftOpen};
use crate::practicals::shared::rest::{BusyWithNobodyGone, WaitsToWrite, busy};

const FLUSHES: &str = "flushes_before_close";
const RESTS: &str = "rests_when_idle";
const RESET: &str = "survives_reset";
const EMPTY: &str = "survives_empty_connection";

fn half_close<'a>(findings: &Findings<'a>) -> Option<&'a HalfClose> {
    findings.failed(FLUSHES)?.facts().next()
}

pub(super) fn drops_data_at_end(findings: &Findings<'_>) -> Option<Diagnosis> {
    let failed = findings.failed(FLUSHES).filter(|failed| !failed.died())?;
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

/// Returns whether it is busy only because of clients that have ended their side; `None` where that
/// is not known.
fn is_busy_with_the_gone(findings: &Findings<'_>) -> Option<bool> {
    findings.failed(RESTS)?.fact(|busy: &BusyWithNobodyGone| Some(busy.is_little()))
}

pub(super) fn never_closes(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "closes_after_client";
    let left = findings.failed(check)?.fact(|LeftOpen(count)| (*count > 0).then_some(count))?;
    let because = format!(
        "2 s after its clients closed, your server still held {left} of their sockets, \
         in CLOSE_WAIT"
    );
    let waits = half_close(findings)
        .is_some_and(|half| half.complete && half.ending.is_some_and(|ending| ending.is_silence()));
    let explained: Vec<&str> =
        [(check, true), (FLUSHES, waits), (RESTS, is_busy_with_the_gone(findings) == Some(true))]
            .into_iter()
            .filter_map(|(check, explained)| explained.then_some(check))
            .collect();
    findings.name("never_closes", because, &explained)
}

pub(super) fn dies_on_empty(findings: &Findings<'_>) -> Option<Diagnosis> {
    let exit = findings.failed(EMPTY)?.verdict.ended.as_ref()?;
    let because =
        format!("clients connected and closed without sending, and your server stopped: {exit}");
    findings.name("dies_on_empty", because, &[EMPTY])
}

pub(super) fn dies_on_reset(findings: &Findings<'_>) -> Option<Diagnosis> {
    let exit = findings.failed(RESET)?.verdict.ended.as_ref()?;
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

pub(super) fn holds_the_port(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "restarts_on_same_port";
    let fact = NotRestarted { reuses_address: Some(false) };
    findings.failed(check).filter(|failed: &Failed<'_>| failed.has(&fact))?;
    let because = "your server's listening socket does not have SO_REUSEADDR, \
                   and your server could not listen again on the same port";
    findings.name("holds_the_port", because, &[check])
}

/// Other reasons to be busy have their own names, so the rule must first exclude them.
pub(super) fn spins(findings: &Findings<'_>) -> Option<Diagnosis> {
    let knows_selector = |failed: &Failed<'_>| failed.facts::<WaitsToWrite>().next().is_some();
    let percent = busy(findings.failed(RESTS).filter(knows_selector)?)?;
    let explained = is_busy_with_the_gone(findings)? && !findings.passed("closes_after_client");
    let because =
        format!("your server used {percent} % of a processor while all clients were silent");
    if explained { None } else { findings.name("spins", because, &[RESTS]) }
}
