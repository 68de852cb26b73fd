//! Where a server takes a message to end, and what it does with a long one.

use super::values::{VALUES, answers};
use crate::engine::diagnose::{Failed, Findings};
use crate::engine::difference::{Deviation, bytes};
use crate::engine::received::Ending;
use crate::engine::verdict::Diagnosis;
use crate::practicals::shared::FailedAt;
use crate::practicals::shared::echo_server::facts::{EndComes, LongMessage, Size};

/// Returns what came of long first messages, where the server gives its client up after its first
/// reply.
fn ends_after_first<'a>(findings: &Findings<'a>) -> Option<Vec<&'a LongMessage>> {
    let failed = findings.failed(AFTER_FIRST[0]).filter(|failed| failed.has(&FailedAt(2)))?;
    let difference = failed.difference()?;
    let ended = difference.observed_length == 0 && difference.ending.is_some();
    Some(failed.facts().collect()).filter(|long: &Vec<_>| ended && long.len() > 1)
}

const AFTER_FIRST: [&str; 2] = ["echoes_message_after_message", "echoes_byte_by_byte"];

/// Says what the server does after its first reply.
fn gives_up(long: &LongMessage) -> &'static str {
    match long.closed {
        true => "your server closes the connection after its first reply",
        false => "your server reads no more from a client after its first reply",
    }
}

pub(super) fn reads_once(findings: &Findings<'_>) -> Option<Diagnosis> {
    let long = ends_after_first(findings).filter(|long| long.iter().all(|long| !long.goes_on))?;
    let fits = |long: &&LongMessage| long.buffer.is_some_and(|size| size > long.sent);
    // A server that is silent because it waits for more bytes has sent back nearly all of them.
    let is_one_read =
        |cut: &&&LongMessage| cut.came < cut.sent && long.iter().all(|long| long.came == cut.came);
    let cut = long.iter().find(|cut| cut.closed && cut.came < cut.sent || is_one_read(cut));
    let because = if let Some(cut) = cut {
        let LongMessage { sent, came, .. } = cut;
        format!("{}, which holds only {came} of {sent} bytes", gives_up(cut))
    } else if long.iter().all(fits) {
        let what = gives_up(long[0]);
        format!("{what}, even after one of {} bytes, which fit into its buffer", long[0].sent)
    } else {
        return None;
    };
    let is_of_size = |size: &Size| !size.goes_on && cut.is_some_and(|cut| cut.came == size.came);
    let of_size = findings.failed("echoes_every_size").and_then(|failed| {
        failed.fact(|size: &Size| is_of_size(size).then_some("echoes_every_size"))
    });
    let explained: Vec<&str> = AFTER_FIRST.into_iter().chain(of_size).collect();
    findings.name("reads_once", because, &explained)
}

pub(super) fn stops_at_short_read(findings: &Findings<'_>) -> Option<Diagnosis> {
    let all_come = |long: &Vec<&LongMessage>| long.iter().all(|long| long.came == long.sent);
    match ends_after_first(findings).filter(all_come) {
        Some(long) => {
            findings.name("stops_at_short_read", ends_at_short_read(&long)?, &AFTER_FIRST)
        }
        None => hangs_at_full_buffer(findings),
    }
}

fn ends_at_short_read(long: &[&LongMessage]) -> Option<String> {
    let closes = long.iter().any(|long| long.closed);
    let ends = match closes {
        true => "closes the connection",
        false => "reads no more from a client",
    };
    let is_larger = |long: &&LongMessage| long.buffer.is_some_and(|size| size < long.sent);
    if let Some(open) = long.iter().find(|long| long.goes_on) {
        return Some(format!(
            "your server {ends} after a short message, \
             but not after one of {} bytes, which fills its buffer exactly",
            open.sent
        ));
    }
    let size = long.first()?.buffer.filter(|_| long.iter().all(is_larger))?;
    Some(format!(
        "your server {ends} after a short message, \
         but reads on when its buffer of {size} bytes is full"
    ))
}

fn hangs_at_full_buffer(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "echoes_every_size";
    let bad = findings
        .failed(check)?
        .fact(|size: &Size| (is_silent(size) && size.longer_works).then_some(size.bad))?;
    let because = format!(
        "a message of {bad} bytes does not come back, \
         but a message one byte shorter or longer does"
    );
    let fills = |length: usize| length > 0 && length.is_multiple_of(bad);
    let values = answers(findings, VALUES);
    let of_values = !values.is_empty() && values.iter().all(|answer| fills(answer.message.len()));
    let apart = findings.failed("keeps_clients_apart").and_then(Failed::difference);
    let of_clients = apart.is_some_and(|difference| fills(difference.expected_length));
    let explained: Vec<&str> =
        [(check, true), (VALUES, of_values), ("keeps_clients_apart", of_clients)]
            .into_iter()
            .filter_map(|(check, explained)| explained.then_some(check))
            .collect();
    findings.name("stops_at_short_read", because, &explained)
}

fn is_silent(size: &Size) -> bool {
    size.ending.is_some_and(Ending::is_silence)
}

pub(super) fn drops_after_buffer(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "echoes_every_size";
    let Size { bad, came, .. } = findings.failed(check)?.fact(|size: &Size| {
        (is_silent(size) && size.holds_so_many && size.goes_on).then_some(size)
    })?;
    let because = format!(
        "your server sends back only the first {came} of {bad} bytes, \
         and then answers the next message normally"
    );
    let apart = findings.failed("keeps_clients_apart").and_then(Failed::difference);
    let of_clients = apart.is_some_and(|difference| difference.observed_length == *came);
    let explained = ["keeps_clients_apart"].into_iter().filter(|_| of_clients).chain([check]);
    findings.name("drops_after_buffer", because, &explained.collect::<Vec<_>>())
}

/// Returns whether a server that loses what a late reader is owed gets the end of it across all the
/// same; `None` where that is not known.
pub(crate) fn the_end_comes(failed: Failed<'_>) -> Option<bool> {
    const TELLING: usize = 8; // this many letters are never the same by chance
    failed.fact(|EndComes(end)| Some(*end >= TELLING))
}

pub(super) fn partial_write(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "echoes_large_message";
    let failed = findings
        .failed(check)
        .filter(|failed| !failed.died() && the_end_comes(*failed).is_some())?;
    let difference = failed.difference()?;
    // What comes after a gap overwrote what the server still owed.
    let is_gap = matches!(difference.deviation, Deviation::Lost(_));
    if the_end_comes(failed) == Some(true) && !is_gap {
        return None;
    }
    let because = match (difference.deviation, difference.ending) {
        (Deviation::Lost(_) | Deviation::OutOfOrder | Deviation::Changed, _) => {
            let at = difference.at;
            format!("a client that reads late misses bytes after the first {at}")
        }
        (Deviation::Short(missing), Some(Ending::Silence(_))) => {
            let all = bytes(difference.expected_length);
            format!("a client that reads late never gets {missing} of {all}")
        }
        _ => return None,
    };
    findings.name("partial_write", because, &[check])
}

pub(super) fn closes_too_early(findings: &Findings<'_>) -> Option<Diagnosis> {
    let checks = ["echoes_large_message", "outlasts_slow_reader"];
    let because = findings.failed_of(&checks).into_iter().find_map(|failed| {
        let difference = failed.difference().filter(|_| !failed.died())?;
        let ending = difference.ending.filter(|ending| ending.is_closed())?;
        let short = matches!(difference.deviation, Deviation::Short(_));
        let (came, all) = (difference.observed_length, difference.expected_length);
        short.then(|| format!("a client that reads late gets {came} of {all} bytes, then {ending}"))
    })?;
    findings.name("closes_too_early", because, &checks)
}
