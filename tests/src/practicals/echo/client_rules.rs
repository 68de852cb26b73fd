//! What names the mistakes of an echo client.

use super::client::{GathersAscii, HangsAfter, OnePiece, Printed};
use crate::engine::compare::describe;
use crate::engine::diagnose::{Failed, Findings, Rule, cause, rule};
use crate::engine::difference::Deviation;
use crate::engine::transcript::show;
use crate::engine::verdict::Diagnosis;
use crate::practicals::shared::reports::hidden_failures;

/// In the order in which a student should hear of them.
pub(super) const RULES: &[Rule] = &[
    rule!(client_adds_newline),
    rule!(client_prints_own_message),
    rule!(client_decorates),
    cause!(client_waits_for_end),
    rule!(client_text_only),
    rule!(client_reads_once),
    rule!(client_stops_at_short_read),
    rule!(client_hides_failure),
];

fn client_adds_newline(findings: &Findings<'_>) -> Option<Diagnosis> {
    let checks = ["client_sends_exactly", "client_reads_line_from_stdin"];
    let newline = |failed: &Failed<'_>| {
        failed.difference().is_some_and(|difference| {
            matches!(difference.deviation, Deviation::Long(_))
                && matches!(difference.wrong(), b"\n" | b"\r\n")
        })
    };
    let failed: Vec<Failed<'_>> = findings.failed_of(&checks).into_iter().filter(newline).collect();
    let first = failed.first()?.difference()?;
    let because = format!("after the message, your client sent {}", show(first.wrong(), 8));
    findings.name("client_adds_newline", because, &ids(&failed))
}

fn ids(failed: &[Failed<'_>]) -> Vec<&'static str> {
    failed.iter().map(|failed| failed.id()).collect()
}

fn printed(failed: Failed<'_>) -> Option<&Printed> {
    failed.facts().next()
}

/// Returns the checks of printing in which `how` holds, with what was printed in the first of them.
fn printing<'a>(
    findings: &Findings<'a>,
    how: impl Fn(&Printed) -> bool,
) -> Option<(&'a Printed, Vec<&'static str>)> {
    let checks = ["client_reads_line_from_stdin", "client_prints_reply"];
    let mut failed = findings.failed_of(&checks);
    failed.retain(|failed| printed(*failed).is_some_and(&how));
    Some((printed(*failed.first()?)?, ids(&failed)))
}

fn holds(all: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && all.windows(part.len()).any(|window| window == part)
}

fn client_prints_own_message(findings: &Findings<'_>) -> Option<Diagnosis> {
    let (first, checks) = printing(findings, |Printed { stdout, reply, message, .. }| {
        holds(stdout, message) && !holds(stdout, reply) && message != reply
    })?;
    let because = format!(
        "the server answered {} with {}, but your client printed {}",
        show(&first.message, 16),
        show(&first.reply, 16),
        show(&first.stdout, 24)
    );
    findings.name("client_prints_own_message", because, &checks)
}

fn client_decorates(findings: &Findings<'_>) -> Option<Diagnosis> {
    let (first, checks) = printing(findings, |Printed { stdout, reply, .. }| {
        holds(stdout, reply) && stdout != reply
    })?;
    let (reply, stdout) = (show(&first.reply, 20), show(&first.stdout, 40));
    let because = format!("the reply was {reply}, but your client printed {stdout}");
    findings.name("client_decorates", because, &checks)
}

const GATHERS: &str = "client_gathers_reply";

fn client_text_only(findings: &Findings<'_>) -> Option<Diagnosis> {
    let failed = findings.failed(GATHERS).filter(|failed| failed.has(&GathersAscii))?;
    let printed = printed(failed)?;
    let (reply, stdout) = (describe(&printed.reply), describe(&printed.stdout));
    let because = match printed.ended && !printed.stdout.is_empty() {
        true => format!(
            "your client printed {stdout} for the reply {reply}, sent byte by byte; \
             it prints a reply in plain ASCII correctly"
        ),
        false => format!(
            "your client fails on the reply {reply}, sent byte by byte, \
             but prints a reply in plain ASCII correctly"
        ),
    };
    findings.name("client_text_only", because, &[GATHERS])
}

/// Returns how it printed long replies in one piece, and the lengths after which it hung.
fn one_piece<'a>(findings: &Findings<'a>) -> Option<(Vec<&'a OnePiece>, Vec<usize>)> {
    let failed = findings.failed(GATHERS).filter(|failed| !failed.has(&GathersAscii))?;
    let hangs = failed.facts().map(|HangsAfter(of)| *of).collect();
    Some((failed.facts().collect(), hangs))
}

fn client_reads_once(findings: &Findings<'_>) -> Option<Diagnosis> {
    let (pieces, hangs) = one_piece(findings)?;
    let first = pieces.first().filter(|_| hangs.is_empty())?;
    let (printed, of) = (first.printed, first.of);
    let same = pieces.iter().all(|piece| piece.printed == printed.min(piece.of));
    let fits = |piece: &&OnePiece| {
        piece.printed == piece.of && piece.buffer.is_some_and(|size| size > piece.of)
    };
    let because = if printed < of && same {
        format!(
            "your client printed only the first byte of a reply in single bytes, \
             and only the first {printed} of {of} bytes in one piece"
        )
    } else if pieces.iter().all(fits) {
        format!(
            "your client printed only the first byte of a reply in single bytes, \
             but all of {of} bytes in one piece, which fit into its buffer"
        )
    } else {
        return None;
    };
    findings.name("client_reads_once", because, &[GATHERS, "client_gathers_large_reply"])
}

fn client_stops_at_short_read(findings: &Findings<'_>) -> Option<Diagnosis> {
    let (pieces, hangs) = one_piece(findings)?;
    let all_printed = pieces.iter().all(|piece| piece.printed == piece.of);
    let is_larger = |piece: &&OnePiece| piece.buffer.is_some_and(|size| size < piece.of);
    let because = if let Some(of) = hangs.first().filter(|_| all_printed) {
        format!(
            "your client takes a single byte for the whole reply, \
             but waits for more after {of} bytes, which fill its buffer exactly"
        )
    } else if all_printed && pieces.iter().all(is_larger) {
        let size = pieces.first()?.buffer?;
        format!(
            "your client takes a single byte for the whole reply, \
             but reads on after {size} bytes, which fill its buffer exactly"
        )
    } else {
        return None;
    };
    let mut checks = vec![GATHERS, "client_gathers_large_reply", "client_and_server_agree"];
    let hangs = |failed: Failed<'_>| failed.fact(|HangsAfter(length)| (*length > 0).then_some(()));
    if findings.failed("client_closes").and_then(hangs).is_some() {
        checks.push("client_closes");
    }
    findings.name("client_stops_at_short_read", because, &checks)
}

fn client_hides_failure(findings: &Findings<'_>) -> Option<Diagnosis> {
    let hidden = hidden_failures(findings, &["client_reports_refused", "client_reports_cut_reply"]);
    let because = match hidden.first()?.id() {
        "client_reports_refused" => "no server was listening, but your client's exit status was 0",
        _ => "half of the reply was missing, but your client's exit status was 0",
    };
    findings.name("client_hides_failure", because, &ids(&hidden))
}
