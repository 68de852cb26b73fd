//! What names the mistakes of programs whose messages have a header.

use super::header::{TakesHeader, Way};
use super::server::{Replaced, StillOpen};
use crate::engine::diagnose::{Failed, Findings, Rule, cause, rule};
use crate::engine::difference::{Deviation, Difference};
use crate::engine::transcript::show;
use crate::engine::verdict::Diagnosis;
use crate::practicals::shared::address::{ignores_address, listens_everywhere, never_listens};
use crate::practicals::shared::reports::{hidden_failures, misreports_errors, panics_on_error};
use crate::practicals::shared::{FailedAt, OthersBytes};

/// The server's, in the order in which a student should hear of them.
pub(super) const SERVER: &[Rule] = &[
    rule!(never_listens),
    rule!(ignores_address),
    rule!(listens_everywhere),
    rule!(little_endian),
    rule!(counts_header),
    rule!(text_digits),
    rule!(dies_on_empty_body),
    rule!(low_byte_only),
    rule!(counts_characters),
    cause!(one_read_for_header),
    cause!(one_read_for_body),
    cause!(drops_what_follows),
    cause!(forgets_half_message),
    cause!(takes_end_for_error),
    rule!(hangs_on_cut_message),
    rule!(replaces_invalid_text),
    rule!(dies_on_reset),
    cause!(one_client_at_a_time),
    rule!(one_buffer_for_all),
    rule!(panics_on_error),
    rule!(misreports_errors),
];

/// The client's.
pub(super) const CLIENT: &[Rule] = &[
    rule!(client_little_endian),
    rule!(client_ends_with_newline),
    rule!(client_low_byte_only),
    rule!(client_counts_characters),
    cause!(client_prints_own_message),
    cause!(client_one_read),
    cause!(client_drops_what_follows),
    cause!(client_sends_line_ends),
    cause!(client_cuts_length),
    rule!(client_hides_failure),
    cause!(client_small_buffer),
];

// ---- the header ----

const ONE: &str = "echoes_one_message";

/// Returns the length of the body that came back with a header written in this way, and in no
/// other.
fn only_header(findings: &Findings<'_>, way: Way) -> Option<usize> {
    let taken: Vec<&TakesHeader> = findings.failed(ONE)?.facts().collect();
    match taken[..] {
        [TakesHeader(only, length)] if *only == way => Some(*length),
        _ => None,
    }
}

fn little_endian(findings: &Findings<'_>) -> Option<Diagnosis> {
    let length = only_header(findings, Way::LittleEndian)?;
    let because = format!(
        "a body of {length} bytes came back when its header was 0x{length:02x} 0x00, low byte first"
    );
    findings.name("little_endian", because, &[ONE])
}

fn counts_header(findings: &Findings<'_>) -> Option<Diagnosis> {
    let length = only_header(findings, Way::CountsHeader)?;
    let said = length + 2;
    let because = format!("a body of {length} bytes came back when its header said {said}");
    findings.name("counts_header", because, &[ONE])
}

fn text_digits(findings: &Findings<'_>) -> Option<Diagnosis> {
    let length = only_header(findings, Way::TextDigits)?;
    let text = length.to_string();
    let because =
        format!("a body of {length} bytes came back when its header was the text {text:?}");
    findings.name("text_digits", because, &[ONE])
}

fn dies_on_empty_body(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "echoes_empty_body";
    let failed = findings.failed(check).filter(|failed| failed.has(&FailedAt(1)))?;
    let came = failed.difference()?;
    let because = match (&failed.verdict.ended, came.ending) {
        (Some(exit), _) => format!("your server stopped after it received a header of 0: {exit}"),
        (None, Some(ending)) if came.observed_length == 0 && ending.is_closed() => {
            let end = "your server ended the connection without an answer";
            format!("a header of 0 arrived, and {end}: {ending}")
        }
        _ => return None,
    };
    findings.name("dies_on_empty_body", because, &[check])
}

/// Returns the length in the header that came, where that is the first thing that is wrong.
fn wrong_length(difference: &Difference) -> Option<usize> {
    let is_first = difference.from == 0 && difference.at < 2;
    let header = difference.observed.first_chunk().filter(|_| is_first)?;
    Some(usize::from(u16::from_be_bytes(*header)))
}

fn low_byte_only(findings: &Findings<'_>) -> Option<Diagnosis> {
    low_byte_only_in(findings, "low_byte_only", "echoes_every_length")
}

fn client_low_byte_only(findings: &Findings<'_>) -> Option<Diagnosis> {
    low_byte_only_in(findings, "client_low_byte_only", "client_frames_every_length")
}

/// 255 is no problem, and 256 is taken for 0.
fn low_byte_only_in(
    findings: &Findings<'_>,
    mistake: &'static str,
    check: &str,
) -> Option<Diagnosis> {
    let failed = findings.failed(check)?;
    let is_first = failed.failure.smallest_failing_input == Some(256);
    let length = wrong_length(failed.difference()?).filter(|length| is_first && *length == 0)?;
    let because =
        format!("a body of 255 bytes works, but the header for one of 256 bytes says {length}");
    findings.name(mistake, because, &[check])
}

fn counts_characters(findings: &Findings<'_>) -> Option<Diagnosis> {
    counts_characters_in(findings, "counts_characters", "counts_bytes")
}

fn client_counts_characters(findings: &Findings<'_>) -> Option<Diagnosis> {
    counts_characters_in(findings, "client_counts_characters", "client_counts_bytes")
}

/// The header holds the number of the body's characters.
fn counts_characters_in(
    findings: &Findings<'_>,
    mistake: &'static str,
    check: &str,
) -> Option<Diagnosis> {
    let difference = findings.failed(check)?.difference()?;
    let body = std::str::from_utf8(difference.expected.get(2..)?).ok()?;
    let length = wrong_length(difference).filter(|length| *length == body.chars().count())?;
    let bytes = body.len();
    let because = format!(
        "the header for {body:?} says {length}, the number of its characters; \
         it has {bytes} bytes"
    );
    findings.name(mistake, because, &[check])
}

fn client_little_endian(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "client_frames_message";
    let difference = findings.failed(check)?.difference()?;
    let header: &[u8; 2] = difference.expected.first_chunk()?;
    let swapped = usize::from(u16::from_le_bytes(*header));
    wrong_length(difference).filter(|length| *length == swapped)?;
    let because =
        format!("your client sent the low byte first: {}", show(&difference.observed, 12));
    findings.name("client_little_endian", because, &[check])
}

fn client_ends_with_newline(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "client_frames_message";
    let difference = findings.failed(check)?.difference()?;
    let wrong = difference.wrong();
    let added = matches!(difference.deviation, Deviation::Long(_));
    let because = format!("after the body, your client sent {}", show(wrong, 8));
    match added && matches!(wrong, b"\n" | b"\r\n") {
        true => findings.name("client_ends_with_newline", because, &[check]),
        false => None,
    }
}

// ---- the end of a stream ----

fn hangs_on_cut_message(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "reports_cut_message";
    findings.failed(check).filter(|failed| !failed.died() && failed.has(&StillOpen))?;
    let because = "a client half-closed in the middle of a message, \
                   but your server kept the connection open";
    findings.name("hangs_on_cut_message", because, &[check])
}

fn replaces_invalid_text(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "reports_invalid_text";
    let count = findings.failed(check)?.fact(|Replaced(count)| Some(count))?;
    let because = format!(
        "a body that is not UTF-8 came back with {count} × U+FFFD, the replacement character"
    );
    findings.name("replaces_invalid_text", because, &[check])
}

fn dies_on_reset(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "outlives_reset";
    let exit = findings.failed(check)?.death()?;
    let because = format!("a client reset its connection, and your server stopped: {exit}");
    findings.name("dies_on_reset", because, &[check])
}

fn one_buffer_for_all(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "keeps_messages_apart";
    findings.failed(check).filter(|failed| failed.has(&OthersBytes))?;
    let because = "a client's reply held bytes of another client's message, in the same place";
    findings.name("one_buffer_for_all", because, &[check])
}

fn client_hides_failure(findings: &Findings<'_>) -> Option<Diagnosis> {
    let checks = ["client_reports_nobody", "client_reports_cut_message"];
    let hidden = hidden_failures(findings, &checks);
    let because = match hidden.first()?.id() {
        "client_reports_nobody" => "no server was listening, but your client's exit status was 0",
        _ => "the stream ended inside a reply, but your client's exit status was 0",
    };
    let checks: Vec<&str> = hidden.into_iter().map(Failed::id).collect();
    findings.name("client_hides_failure", because, &checks)
}
