//! What comes back that was not sent.

use super::values::{VALUES, WORDS, answers, with_other_line_ends};
use crate::engine::compare::show_run;
use crate::engine::diagnose::{Failed, Findings};
use crate::engine::difference::{Deviation, bytes};
use crate::engine::transcript::show;
use crate::engine::verdict::Diagnosis;
use crate::practicals::shared::echo_server::facts::{
    Answer, Greeting, LateGreeting, SilentAtFirst, StaleBytes,
};

const ADDS: &str = "adds_nothing";

pub(super) fn greets(findings: &Findings<'_>) -> Option<Diagnosis> {
    let failed = findings.failed(ADDS)?;
    let late = || failed.fact(|LateGreeting(greeting)| Some(greeting));
    let greeting = failed.fact(|Greeting(greeting)| Some(greeting)).or_else(late)?;
    let because = format!("a client received {} before it sent anything", show(greeting, 40));
    findings.name("greets", because, &[ADDS])
}

/// Returns what stands after the echo in `adds_nothing`.
fn suffix<'a>(findings: &Findings<'a>) -> Option<&'a [u8]> {
    let failed = findings.failed(ADDS)?;
    let difference = failed.difference()?;
    let is_long = matches!(difference.deviation, Deviation::Long(_));
    let suffix = difference.wrong();
    let has_suffix = |late: &[u8]| late.windows(suffix.len()).any(|window| window == suffix);
    let is_late = failed.fact(|LateGreeting(late)| has_suffix(late).then_some(())).is_some();
    (is_long && !is_late).then_some(suffix)
}

fn is_newline(bytes: &[u8]) -> bool {
    matches!(bytes, b"\n" | b"\r\n")
}

/// Several NUL bytes come from a buffer; one may be the end of a string.
fn is_rest_of_buffer(bytes: &[u8]) -> bool {
    bytes.len() > 1 && bytes.contains(&0)
}

pub(super) fn adds_newline(findings: &Findings<'_>) -> Option<Diagnosis> {
    let suffix = suffix(findings).filter(|suffix| is_newline(suffix))?;
    let because = format!("after the echo, your server sent {}", show(suffix, 8));
    findings.name("adds_newline", because, &[ADDS])
}

pub(super) fn decorates(findings: &Findings<'_>) -> Option<Diagnosis> {
    let short = findings.failed("echoes_short_message").and_then(other_bytes);
    let line_ends = || with_other_line_ends(findings).map(Answer::how);
    let because = short
        .or_else(|| around(findings))
        .or_else(|| certain_bytes(findings))
        .or_else(line_ends)?;
    let mut explained = vec!["echoes_short_message", ADDS, VALUES];
    explained.extend(with_other_line_ends(findings).map(|_| WORDS));
    findings.name("decorates", because, &explained)
}

fn other_bytes(failed: Failed<'_>) -> Option<String> {
    let difference = failed.difference()?;
    let differs = matches!(difference.deviation, Deviation::Changed | Deviation::Added(_));
    let (asked, answered) = (show(&difference.expected, 24), show(&difference.observed, 24));
    differs.then(|| format!("your server answered {asked} with {answered}"))
}

/// Other bytes stand round the echo.
fn around(findings: &Findings<'_>) -> Option<String> {
    let is_decoration =
        |suffix: &&[u8]| suffix.len() > 1 && !is_newline(suffix) && !is_rest_of_buffer(suffix);
    let after = suffix(findings).filter(is_decoration);
    let after =
        after.map(|suffix| format!("after the echo, your server sent {}", show(suffix, 24)));
    let is_silent_at_first = |failed: &Failed<'_>| failed.has(&SilentAtFirst);
    after.or_else(|| findings.failed(ADDS).filter(is_silent_at_first).and_then(other_bytes))
}

/// Only certain bytes come back as others. Where the first that are no text differ, the server
/// takes bytes for text.
fn certain_bytes(findings: &Findings<'_>) -> Option<String> {
    let values = answers(findings, VALUES);
    let decorated = values.iter().find(|answer| answer.message.is_ascii() && answer.is_decorated());
    decorated.map(|answer| answer.how())
}

pub(super) fn sends_whole_buffer(findings: &Findings<'_>) -> Option<Diagnosis> {
    if let Some(suffix) = suffix(findings).filter(|suffix| is_rest_of_buffer(suffix)) {
        let (count, shown) = (bytes(suffix.len()), show_run(suffix));
        let because =
            format!("after the echo, your server sent {count} that no client had sent: {shown}");
        return findings.name("sends_whole_buffer", because, &[ADDS]);
    }
    let check = "echoes_message_after_message";
    let stale = findings.failed(check)?.fact(|StaleBytes(bytes)| Some(bytes))?;
    let because = format!(
        "after a short message, your server sent {}, the end of an earlier, longer message",
        show(stale, 16)
    );
    findings.name("sends_whole_buffer", because, &[check])
}
