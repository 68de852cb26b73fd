//! The mistakes of an echo client.

use crate::engine::compare::Deviation;
use crate::engine::compare::describe;
use crate::engine::diagnose::{Failed, Rule, Seen, rule};
use crate::engine::evidence::Clue;
use crate::engine::transcript::show;
use crate::engine::verdict::Diagnosis;

/// In the order in which a student should hear of them.
pub(crate) const RULES: &[Rule] = &[
    rule!(client_adds_newline),
    rule!(client_prints_own_message),
    rule!(client_decorates),
    rule!(client_waits_for_end),
    rule!(client_text_only),
    rule!(client_reads_once),
    rule!(client_stops_at_short_read),
    rule!(client_hides_failure),
];

fn client_adds_newline(seen: &Seen<'_>) -> Option<Diagnosis> {
    let checks = ["client_sends_exactly", "client_reads_line_from_stdin"];
    let newline = |failed: &Failed<'_>| {
        let difference = failed.difference();
        difference.is_some_and(|difference| {
            matches!(difference.deviation, Deviation::Long(_))
                && matches!(difference.wrong(), b"\n" | b"\r\n")
        })
    };
    let failed: Vec<Failed<'_>> =
        checks.iter().filter_map(|check| seen.failed(check)).filter(newline).collect();
    let first = failed.first()?.difference()?;
    let because = format!("after the message the server received {}", show(first.wrong(), 8));
    seen.name(
        "client_adds_newline",
        because,
        &failed.iter().map(|failed| failed.verdict.check).collect::<Vec<_>>(),
    )
}

/// What was printed where the reply was other bytes than the message.
struct Printed<'a> {
    stdout: &'a [u8],
    reply: &'a [u8],
    message: &'a [u8],
    ended: bool,
}

fn printed<'a>(failed: Failed<'a>) -> Option<Printed<'a>> {
    failed.clue(|clue| match clue {
        Clue::Printed { stdout, reply, message, ended } => {
            Some(Printed { stdout, reply, message, ended: *ended })
        }
        _ => None,
    })
}

const PRINTING: [&str; 2] = ["client_reads_line_from_stdin", "client_prints_reply"];

/// The checks of printing in which `how` holds, with the first of them.
fn printing<'a>(
    seen: &Seen<'a>,
    how: impl Fn(&Printed<'a>) -> bool,
) -> Option<(Printed<'a>, Vec<&'static str>)> {
    let found = PRINTING.iter().filter_map(|check| Some((*check, printed(seen.failed(check)?)?)));
    let (checks, mut all): (Vec<&str>, Vec<Printed<'a>>) =
        found.filter(|(_, printed)| how(printed)).unzip();
    (!all.is_empty()).then(|| (all.remove(0), checks))
}

fn holds(all: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && all.windows(part.len()).any(|window| window == part)
}

fn client_prints_own_message(seen: &Seen<'_>) -> Option<Diagnosis> {
    let (first, checks) = printing(seen, |printed| {
        holds(printed.stdout, printed.message)
            && !holds(printed.stdout, printed.reply)
            && printed.message != printed.reply
    })?;
    let because = format!(
        "the server answered {} with {}, and the client printed {}",
        show(first.message, 16),
        show(first.reply, 16),
        show(first.stdout, 24)
    );
    seen.name("client_prints_own_message", because, &checks)
}

fn client_decorates(seen: &Seen<'_>) -> Option<Diagnosis> {
    let (first, checks) = printing(seen, |printed| {
        holds(printed.stdout, printed.reply) && printed.stdout != printed.reply
    })?;
    let because = format!(
        "the reply was {}, and the client printed {}",
        show(first.reply, 20),
        show(first.stdout, 40)
    );
    seen.name("client_decorates", because, &checks)
}

fn client_waits_for_end(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "client_prints_reply";
    seen.failed(check).filter(|failed| failed.has(&Clue::PrintedOnceClosed))?;
    let because =
        "the whole reply was there and nothing was printed; when the server closed, it was";
    seen.name("client_waits_for_end", because, &[check])
}

const GATHERS: &str = "client_gathers_reply";

fn client_text_only(seen: &Seen<'_>) -> Option<Diagnosis> {
    let failed = seen.failed(GATHERS).filter(|failed| failed.has(&Clue::GathersAscii))?;
    let because = match printed(failed) {
        Some(printed) if printed.ended && !printed.stdout.is_empty() => {
            format!(
                "of {}, in single bytes, it printed {}; a reply in plain ASCII it prints",
                describe(printed.reply),
                describe(printed.stdout)
            )
        }
        _ => format!(
            "it fails on {}, in single bytes, and prints a reply in plain ASCII",
            describe(printed(failed)?.reply)
        ),
    };
    seen.name("client_text_only", because, &[GATHERS])
}

/// A long reply in one piece: how many bytes were printed of how many, and the size of the buffer,
/// where it was seen.
type Piece = (usize, usize, Option<usize>);

/// What it made of long replies in one piece, and after which it hung.
fn one_piece(seen: &Seen<'_>) -> Option<(Vec<Piece>, Vec<usize>)> {
    let failed = seen.failed(GATHERS).filter(|failed| !failed.has(&Clue::GathersAscii))?;
    let printed = failed.clues().filter_map(|clue| match clue {
        Clue::OnePiece { printed, of, buffer } => Some((*printed, *of, *buffer)),
        _ => None,
    });
    let hangs = failed
        .clues()
        .filter_map(|clue| if let Clue::HangsAfter(of) = clue { Some(*of) } else { None });
    Some((printed.collect(), hangs.collect()))
}

fn client_reads_once(seen: &Seen<'_>) -> Option<Diagnosis> {
    let (pieces, hangs) = one_piece(seen)?;
    let (printed, of, _) = *pieces.first().filter(|_| hangs.is_empty())?;
    let same = pieces.iter().all(|(other, of, _)| *other == printed.min(*of));
    let because = if printed < of && same {
        format!(
            "of a reply in single bytes it printed the first, of {of} bytes in one piece the first {printed}"
        )
    } else if pieces
        .iter()
        .all(|(printed, of, buffer)| printed == of && buffer.is_some_and(|size| size > *of))
    {
        format!(
            "of a reply in single bytes it printed the first; {of} bytes in one piece, which fit into its buffer, it printed"
        )
    } else {
        return None;
    };
    seen.name("client_reads_once", because, &[GATHERS, "client_gathers_large_reply"])
}

fn client_stops_at_short_read(seen: &Seen<'_>) -> Option<Diagnosis> {
    let (pieces, hangs) = one_piece(seen)?;
    let all_printed = pieces.iter().all(|(printed, of, _)| printed == of);
    let because = if let Some(of) = hangs.first().filter(|_| all_printed) {
        format!(
            "it takes a single byte for the whole reply, and waits for more after {of} bytes, which fill its buffer"
        )
    } else if all_printed
        && pieces.iter().all(|(_, of, buffer)| buffer.is_some_and(|size| size < *of))
    {
        let size = pieces.first()?.2?;
        format!(
            "it takes a single byte for the whole reply, and reads on after {size}, which fill its buffer"
        )
    } else {
        return None;
    };
    let mut checks = vec![GATHERS, "client_gathers_large_reply", "client_and_server_agree"];
    let closes = seen.failed("client_closes");
    if closes.is_some_and(|failed| {
        failed.clues().any(|clue| matches!(clue, Clue::HangsAfter(length) if *length > 0))
    }) {
        checks.push("client_closes");
    }
    seen.name("client_stops_at_short_read", because, &checks)
}

fn client_hides_failure(seen: &Seen<'_>) -> Option<Diagnosis> {
    let checks = ["client_reports_refused", "client_reports_cut_reply"];
    let hidden = |failed: &Failed<'_>| {
        failed.clues().any(
            |clue| matches!(clue, Clue::Reported { status: Some(status), .. } if status.success()),
        )
    };
    let failed: Vec<Failed<'_>> =
        checks.iter().filter_map(|check| seen.failed(check)).filter(hidden).collect();
    let because = match failed.first()?.verdict.check {
        "client_reports_refused" => "nobody listened, and its exit status was 0",
        _ => "half of the reply was missing, and its exit status was 0",
    };
    seen.name(
        "client_hides_failure",
        because,
        &failed.iter().map(|failed| failed.verdict.check).collect::<Vec<_>>(),
    )
}
