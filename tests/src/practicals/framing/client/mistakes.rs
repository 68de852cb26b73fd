//! The mistakes of a client whose messages have a header.

use crate::engine::compare::Deviation;
use crate::engine::diagnose::{Failed, Rule, Seen, rule};
use crate::engine::evidence::Clue;
use crate::engine::transcript::show;
use crate::engine::verdict::Diagnosis;
use crate::practicals::framing::server::mistakes::{
    counts_characters_in, low_byte_only_in, wrong_length,
};

/// It printed so many messages of its own instead of the replies.
pub(super) const PRINTED_ITS_OWN: &str = "printed its own";

/// A reply of so many bytes is printed when it comes in one piece, and only then.
pub(super) const WHOLE_ONLY: &str = "whole only";

/// So many replies that came with the first one were lost: when they came again all was well.
pub(super) const LOST_WHAT_FOLLOWED: &str = "lost what followed";

/// The end of the line came behind a message of so many bytes.
pub(super) const SENT_THE_LINE_END: &str = "sent the line end";

/// A message of so many bytes went out with the low 16 bits of that in its header.
pub(super) const LENGTH_CUT: &str = "length cut";

/// A reply of so many bytes is printed, and one of a byte more is not.
pub(super) const LONGEST_REPLY: &str = "longest reply";

/// In the order in which a student should hear of them.
pub(crate) const RULES: &[Rule] = &[
    rule!(client_little_endian),
    rule!(client_ends_with_newline),
    rule!(client_low_byte_only),
    rule!(client_counts_characters),
    rule!(client_prints_own_message),
    rule!(client_one_read),
    rule!(client_drops_what_follows),
    rule!(client_sends_line_ends),
    rule!(client_cuts_length),
    rule!(client_hides_failure),
    rule!(client_small_buffer),
];

const FRAMES: &str = "client_frames_message";

fn client_little_endian(seen: &Seen<'_>) -> Option<Diagnosis> {
    let difference = seen.failed(FRAMES)?.difference()?;
    let header: &[u8; 2] = difference.expected.first_chunk()?;
    let swapped = usize::from(u16::from_le_bytes(*header));
    wrong_length(difference).filter(|length| *length == swapped)?;
    let because = format!("the header came low byte first: {}", show(&difference.observed, 12));
    seen.name("client_little_endian", because, &[FRAMES])
}

fn client_ends_with_newline(seen: &Seen<'_>) -> Option<Diagnosis> {
    let difference = seen.failed(FRAMES)?.difference()?;
    let is_newline = matches!(difference.wrong(), b"\n" | b"\r\n");
    let because = format!("after the body the server received {}", show(difference.wrong(), 8));
    let added = matches!(difference.deviation, Deviation::Long(_)) && is_newline;
    if added { seen.name("client_ends_with_newline", because, &[FRAMES]) } else { None }
}

fn client_low_byte_only(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "client_frames_every_length";
    low_byte_only_in(seen, check)
        .and_then(|because| seen.name("client_low_byte_only", because, &[check]))
}

fn client_counts_characters(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "client_counts_bytes";
    counts_characters_in(seen, check)
        .and_then(|because| seen.name("client_counts_characters", because, &[check]))
}

fn client_prints_own_message(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "client_prints_replies";
    seen.failed(check)?.own(PRINTED_ITS_OWN)?;
    let because =
        "the server answered with other bytes, and the client printed what it had been given";
    seen.name("client_prints_own_message", because, &[check])
}

fn client_one_read(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "client_gathers_pieces";
    let length = seen.failed(check)?.own(WHOLE_ONLY)?;
    let because = format!(
        "a reply of {length} bytes is printed when it comes in one piece, and not when it comes in several"
    );
    seen.name("client_one_read", because, &[check])
}

fn client_drops_what_follows(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "client_keeps_what_follows";
    let lost = seen.failed(check)?.own(LOST_WHAT_FOLLOWED)?;
    let because = format!(
        "{lost} replies came together with the first one and were lost; sent again, they are printed"
    );
    seen.name("client_drops_what_follows", because, &[check])
}

fn client_sends_line_ends(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "client_reads_lines";
    let length = seen.failed(check)?.own(SENT_THE_LINE_END)?;
    let because = format!("a line of {length} bytes was typed, and its end was sent with it");
    seen.name("client_sends_line_ends", because, &[check])
}

fn client_cuts_length(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "client_refuses_long_message";
    let length = seen.failed(check)?.own(LENGTH_CUT)?;
    let because =
        format!("a message of {length} bytes was sent, and its header says {}", length % 65_536);
    seen.name("client_cuts_length", because, &[check])
}

fn client_hides_failure(seen: &Seen<'_>) -> Option<Diagnosis> {
    let is_hidden = |failed: &Failed<'_>| {
        failed.clues().any(
            |clue| matches!(clue, Clue::Reported { status: Some(status), .. } if status.success()),
        )
    };
    let checks = ["client_reports_nobody", "client_reports_cut_message"];
    let hidden: Vec<Failed<'_>> =
        checks.iter().filter_map(|check| seen.failed(check)).filter(is_hidden).collect();
    let because = match hidden.first()?.verdict.check {
        "client_reports_nobody" => "nobody listened, and its exit status was 0",
        _ => "the stream ended inside of a reply, and its exit status was 0",
    };
    seen.name(
        "client_hides_failure",
        because,
        &hidden.iter().map(|failed| failed.verdict.check).collect::<Vec<_>>(),
    )
}

fn client_small_buffer(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "framed_programs_agree";
    let longest = seen.failed(check)?.own(LONGEST_REPLY)?;
    let because =
        format!("a reply of {longest} bytes is printed, and one of {} bytes is not", longest + 1);
    seen.name("client_small_buffer", because, &[check])
}
