//! Where a server takes a message to end, and what it does with a long one.

use super::values::{VALUES, answers};
use crate::engine::diagnose::{Failed, Findings};
use crate::engine::difference::{Deviation, bytes};
use crate::engine::received::Ending;
use crate::engine::verdict::Diagnosis;
use crate::practicals::shared::FailedAt;
use crate::practicals::shared::echo_server::facts::{EndComes, LongMessage, Size};

/// Returns what came of long first messages, where the server ends the connection after its first
/// reply.
fn closes_after_first<'a>(findings: &Findings<'a>) -> Option<Vec<&'a LongMessage>> {
    let failed = findings.failed(AFTER_FIRST[0]).filter(|failed| failed.has(&FailedAt(2)))?;
    let ended = failed.difference()?.ending.is_some_and(Ending::is_closed);
    Some(failed.facts().collect()).filter(|long: &Vec<_>| ended && long.len() > 1)
}

const AFTER_FIRST: [&str; 2] = ["echoes_message_after_message", "echoes_byte_by_byte"];

pub(super) fn reads_once(findings: &Findings<'_>) -> Option<Diagnosis> {
    let long = closes_after_first(findings).filter(|long| long.iter().all(|long| long.closed))?;
    let fits = |long: &&LongMessage| long.buffer.is_some_and(|size| size > long.sent);
    let because = if let Some(cut) = long.iter().find(|long| long.came < long.sent) {
        let LongMessage { sent, came, .. } = cut;
        format!(
            "your server closes the connection after its first reply, \
             which holds only {came} of {sent} bytes"
        )
    } else if long.iter().all(fits) {
        format!(
            "your server closes the connection after its first reply, \
             even after one of {} bytes, which fit into its buffer",
            long[0].sent
        )
    } else {
        return None;
    };
    findings.name("reads_once", because, &AFTER_FIRST)
}

pub(super) fn stops_at_short_read(findings: &Findings<'_>) -> Option<Diagnosis> {
    let all_come = |long: &Vec<&LongMessage>| long.iter().all(|long| long.came == long.sent);
    match closes_after_first(findings).filter(all_come) {
        Some(long) => {
            findings.name("stops_at_short_read", closes_at_short_read(&long)?, &AFTER_FIRST)
        }
        None => hangs_at_full_buffer(findings),
    }
}

fn closes_at_short_read(long: &[&LongMessage]) -> Option<String> {
    let is_larger = |long: &&LongMessage| long.buffer.is_some_and(|size| size < long.sent);
    if let Some(open) = long.iter().find(|long| !long.closed) {
        return Some(format!(
            "your server closes the connection after a short message, \
             but not after one of {} bytes, which fills its buffer exactly",
            open.sent
        ));
    }
    let size = long.first()?.buffer.filter(|_| long.iter().all(is_larger))?;
    Some(format!(
        "your server closes the connection after a short message, \
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
    findings.name("drops_after_buffer", because, &[check])
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
        .filter(|failed| !failed.died() && the_end_comes(*failed) == Some(false))?;
    let difference = failed.difference()?;
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
