//! The mistakes of a server whose messages have a header.

use crate::engine::compare::Difference;
use crate::engine::diagnose::{Rule, Seen, rule};
use crate::engine::evidence::Clue;
use crate::engine::verdict::Diagnosis;
use crate::practicals::echo::server::mistakes::{
    ignores_address, listens_everywhere, misreports_errors, never_listens, panics_on_error,
};

/// Other ways to say so many bytes, each with the clue that a message with such a header came back.
pub(super) fn other_headers(length: usize) -> [(&'static str, Vec<u8>); 3] {
    let length = length as u16;
    [
        (LITTLE_ENDIAN, length.to_le_bytes().to_vec()),
        (COUNTS_HEADER, (length + 2).to_be_bytes().to_vec()),
        (TEXT_DIGITS, format!("{length:02}").into_bytes()),
    ]
}

const LITTLE_ENDIAN: &str = "little endian";
const COUNTS_HEADER: &str = "counts header";
const TEXT_DIGITS: &str = "text digits";

/// So many whole messages came back, each after a pause.
pub(super) const WHOLE_AFTER_A_PAUSE: &str = "whole after a pause";

/// So many messages in one segment with the first one were lost; the next one was answered.
pub(super) const LOST_WHAT_FOLLOWED: &str = "lost what followed";

/// So many bytes of a message, behind another, were forgotten.
pub(super) const FORGOT_THE_HALF: &str = "forgot the half";

/// So many bytes stood on stderr where nothing was wrong.
pub(super) const SAID_SOMETHING: &str = "said something";

/// A connection that should have ended was open and silent.
pub(super) const STILL_OPEN: &str = "still open";

/// So many replacement characters came back.
pub(super) const REPLACED: &str = "replaced";

/// In the order in which a student should hear of them.
pub(crate) const RULES: &[Rule] = &[
    rule!(never_listens),
    rule!(ignores_address),
    rule!(listens_everywhere),
    rule!(little_endian),
    rule!(counts_header),
    rule!(text_digits),
    rule!(dies_on_empty_body),
    rule!(low_byte_only),
    rule!(counts_characters),
    rule!(one_read_for_header),
    rule!(one_read_for_body),
    rule!(drops_what_follows),
    rule!(forgets_half_message),
    rule!(takes_end_for_error),
    rule!(hangs_on_cut_message),
    rule!(replaces_invalid_text),
    rule!(dies_on_reset),
    rule!(one_client_at_a_time),
    rule!(one_buffer_for_all),
    rule!(panics_on_error),
    rule!(misreports_errors),
];

// ---- header ----

const ONE: &str = "echoes_one_message";

/// A message whose header is written in this way came back, and in no other way.
fn other_header(seen: &Seen<'_>, way: &str) -> Option<usize> {
    let failed = seen.failed(ONE)?;
    let all = [LITTLE_ENDIAN, COUNTS_HEADER, TEXT_DIGITS];
    if all.iter().any(|other| *other != way && failed.own(other).is_some()) {
        None
    } else {
        failed.own(way)
    }
}

fn little_endian(seen: &Seen<'_>) -> Option<Diagnosis> {
    let length = other_header(seen, LITTLE_ENDIAN)?;
    let because = format!(
        "a body of {length} bytes came back when its header was 0x{length:02x} 0x00, low byte first"
    );
    seen.name("little_endian", because, &[ONE])
}

fn counts_header(seen: &Seen<'_>) -> Option<Diagnosis> {
    let length = other_header(seen, COUNTS_HEADER)?;
    let because = format!("a body of {length} bytes came back when its header said {}", length + 2);
    seen.name("counts_header", because, &[ONE])
}

fn text_digits(seen: &Seen<'_>) -> Option<Diagnosis> {
    let length = other_header(seen, TEXT_DIGITS)?;
    let because = format!(
        "a body of {length} bytes came back when its header was the text {:?}",
        length.to_string()
    );
    seen.name("text_digits", because, &[ONE])
}

fn dies_on_empty_body(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "echoes_empty_body";
    let failed = seen.failed(check).filter(|failed| failed.has(&Clue::FailedAt(1)))?;
    let came = failed.difference()?;
    let because = match (&failed.verdict.ended, came.ending) {
        (Some(exit), _) => format!("a header of 0 came, and the program ended: {exit}"),
        (None, Some(ending)) if came.observed_length == 0 && ending.is_closed() => {
            format!("a header of 0 came, and the connection ended without an answer: {ending}")
        }
        _ => return None,
    };
    seen.name("dies_on_empty_body", because, &[check])
}

/// The length that stands in the header that came, where it is the first thing that is wrong.
pub(crate) fn wrong_length(difference: &Difference) -> Option<usize> {
    let header =
        difference.observed.first_chunk().filter(|_| difference.from == 0 && difference.at < 2)?;
    Some(usize::from(u16::from_be_bytes(*header)))
}

fn low_byte_only(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "echoes_every_length";
    low_byte_only_in(seen, check).and_then(|because| seen.name("low_byte_only", because, &[check]))
}

/// 255 is no problem, and 256 is taken for 0.
pub(crate) fn low_byte_only_in(seen: &Seen<'_>, check: &str) -> Option<String> {
    let failed = seen.failed(check)?;
    let is_first = failed.failure.smallest_failing_input == Some(256);
    let length = wrong_length(failed.difference()?).filter(|length| is_first && *length == 0)?;
    Some(format!(
        "a body of 255 bytes goes well, and the header for one of 256 bytes says {length}"
    ))
}

fn counts_characters(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "counts_bytes";
    counts_characters_in(seen, check)
        .and_then(|because| seen.name("counts_characters", because, &[check]))
}

/// The header holds the number of the body's characters.
pub(crate) fn counts_characters_in(seen: &Seen<'_>, check: &str) -> Option<String> {
    let difference = seen.failed(check)?.difference()?;
    let body = std::str::from_utf8(difference.expected.get(2..)?).ok()?;
    let length = wrong_length(difference).filter(|length| *length == body.chars().count())?;
    let bytes = body.len();
    Some(format!(
        "the header for {body:?}, which has {bytes} bytes, says {length}: so many characters it has"
    ))
}

// ---- pieces ----

fn one_read_for_header(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "reads_cut_header";
    seen.failed(check)?.own(WHOLE_AFTER_A_PAUSE)?;
    let because = "a message whose header came in two pieces did not come back; whole messages do";
    seen.name("one_read_for_header", because, &[check])
}

fn one_read_for_body(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "reads_body_byte_by_byte";
    seen.failed(check)?.own(WHOLE_AFTER_A_PAUSE)?;
    let because = "a message whose body came in single bytes did not come back; whole messages do";
    seen.name("one_read_for_body", because, &[check])
}

fn drops_what_follows(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "answers_three_in_one_segment";
    let lost = seen.failed(check)?.own(LOST_WHAT_FOLLOWED)?;
    let because = format!(
        "of three messages in one segment the first came back, the other {lost} never; the next one did"
    );
    seen.name("drops_what_follows", because, &[check])
}

fn forgets_half_message(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "keeps_what_follows";
    seen.failed(check)?.own(FORGOT_THE_HALF)?;
    let because =
        "a message came with the first byte of the next one's header, and that byte was forgotten";
    seen.name("forgets_half_message", because, &[check])
}

// ---- ends ----

fn takes_end_for_error(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "ends_between_messages";
    seen.failed(check)?.own(SAID_SOMETHING)?;
    let because = "clients closed when all was answered, and the server had something to say about it on stderr";
    seen.name("takes_end_for_error", because, &[check])
}

fn hangs_on_cut_message(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "reports_cut_message";
    seen.failed(check).filter(|failed| !failed.died())?.own(STILL_OPEN)?;
    let because =
        "a client had ended its side in the middle of a message, and its connection stayed open";
    seen.name("hangs_on_cut_message", because, &[check])
}

fn replaces_invalid_text(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "reports_invalid_text";
    let count = seen.failed(check)?.own(REPLACED)?;
    let because = format!(
        "a body that is not UTF-8 came back with {count} replacement character(s), U+FFFD, in it"
    );
    seen.name("replaces_invalid_text", because, &[check])
}

fn dies_on_reset(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "outlives_reset";
    let exit = seen.failed(check)?.verdict.ended.as_ref()?;
    seen.name(
        "dies_on_reset",
        format!("a client reset its connection, and the program ended: {exit}"),
        &[check],
    )
}

// ---- clients ----

fn one_client_at_a_time(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "answers_beside_unfinished_message";
    seen.failed(check).filter(|failed| failed.has(&Clue::ServedOnceTheFirstHadGone))?;
    let because = "a second client got no reply, and got it as soon as the first had closed";
    seen.name("one_client_at_a_time", because, &[check])
}

fn one_buffer_for_all(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "keeps_messages_apart";
    seen.failed(check).filter(|failed| failed.has(&Clue::OthersBytes))?;
    let because = "in a client's message stood bytes of another client's, at the same place";
    seen.name("one_buffer_for_all", because, &[check])
}
