//! What names the mistakes of an echo client.

use super::client::{GathersAscii, HangsAfter, OnePiece, Printed, after};
use super::client_causes::OneByteMore;
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
    rule!(client_replies_on_stderr),
    rule!(client_prints_whole_buffer),
    rule!(client_decorates),
    cause!(client_waits_for_end),
    cause!(client_waits_for_match),
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
    let checks = ["client_reads_line_from_stdin", PRINTS];
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

/// The reply is nowhere on stdout, all of it is on stderr, and the client calls that a success.
fn client_replies_on_stderr(findings: &Findings<'_>) -> Option<Diagnosis> {
    let (first, checks) =
        printing(findings, |Printed { stdout, reply, message, on_stderr, .. }| {
            *on_stderr && stdout.is_empty() && !reply.is_empty() && message != reply
        })?;
    let because = format!(
        "the reply {} was on stderr, and stdout was empty; the exit status was 0",
        show(&first.reply, 20)
    );
    findings.name("client_replies_on_stderr", because, &checks)
}

const PRINTS: &str = "client_prints_reply";

/// A buffer has a fixed size: the longer the reply, the fewer unread bytes follow it.
fn client_prints_whole_buffer(findings: &Findings<'_>) -> Option<Diagnosis> {
    let failed = findings.failed(PRINTS)?;
    let first = printed(failed)?;
    let because = failed.fact(|more: &OneByteMore| {
        let (short, long) = unread(first, more)?;
        Some(format!(
            "after a reply of {} bytes your client printed {short} more bytes, \
             and after one of {} bytes {long} more: together the size of a buffer",
            first.reply.len(),
            more.reply.len()
        ))
    })?;
    findings.name("client_prints_whole_buffer", because, &[PRINTS])
}

/// Returns how many unread bytes followed both replies, if they make up for the length of the
/// replies: all that follows, or the NULs in it.
fn unread(first: &Printed, more: &OneByteMore) -> Option<(usize, usize)> {
    let short = after(&first.stdout, &first.reply)?;
    let long = after(&more.stdout, &more.reply)?;
    let is_padding = short.iter().all(u8::is_ascii_whitespace);
    let line_end = |bytes: &[u8]| bytes.len() - usize::from(bytes.ends_with(b"\n"));
    let counts = [(nuls(short), nuls(long)), (line_end(short), line_end(long))];
    counts.into_iter().find(|(short, long)| !is_padding && *short == long + 1)
}

/// Counts NUL bytes, and what languages print in their place.
fn nuls(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    ["\0", "\\x00", "\\u0000", "\\0"].iter().map(|nul| text.matches(nul).count()).sum()
}

/// What is printed besides the reply is not the unread part of a buffer.
fn client_decorates(findings: &Findings<'_>) -> Option<Diagnosis> {
    let is_decorated = |failed: &Failed<'_>| {
        let more: Option<&OneByteMore> = failed.facts().next();
        printed(*failed).filter(|printed| printed.has_more()).is_some_and(|printed| {
            failed.id() != PRINTS || more.is_some_and(|more| unread(printed, more).is_none())
        })
    };
    let mut failed = findings.failed_of(&["client_reads_line_from_stdin", PRINTS]);
    failed.retain(is_decorated);
    let first = printed(*failed.first()?)?;
    let (reply, stdout) = (show(&first.reply, 20), show(&first.stdout, 40));
    let because = format!("the reply was {reply}, but your client printed {stdout}");
    findings.name("client_decorates", because, &ids(&failed))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::diagnose;
    use crate::engine::verdict::{Failure, Status, Verdict};

    const REPLY: &str = "bcdef";

    fn printed(stdout: &str, on_stderr: bool) -> Failure {
        Failure::default().with(Printed {
            stdout: stdout.into(),
            reply: REPLY.into(),
            message: "abcde".into(),
            ended: true,
            on_stderr,
        })
    }

    fn longer(failure: Failure, stdout: &str) -> Failure {
        failure.with(OneByteMore { stdout: stdout.into(), reply: "bcdefg".into() })
    }

    #[track_caller]
    fn check(failure: Failure, expected: &[&str]) {
        let verdicts = [Verdict::new(PRINTS, Status::Failed(failure))];
        let named = diagnose::by(&[RULES], &verdicts);
        let names: Vec<&str> = named.iter().map(|diagnosis| diagnosis.mistake).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn a_buffer_has_the_same_size_after_a_longer_reply() {
        let name = &["client_prints_whole_buffer"];
        check(longer(printed("bcdef\0\0\0\n", false), "bcdefg\0\0\n"), name);
        check(longer(printed("bcdef\0\n", false), "bcdefg\n"), name);
        check(longer(printed("bcdefXYZ\n", false), "bcdefgYZ\n"), name);
        check(longer(printed("b'bcdef\\x00\\x00'\n", false), "b'bcdefg\\x00'\n"), name);
    }

    #[test]
    fn what_is_always_the_same_or_only_spaces_is_decoration() {
        let name = &["client_decorates"];
        check(longer(printed("got bcdef\0\n", false), "got bcdefg\0\n"), name);
        check(longer(printed("bcdef   \n", false), "bcdefg  \n"), name);
        check(longer(printed("b'bcdef'\n", false), "b'bcdefg'\n"), name);
    }

    #[test]
    fn without_a_longer_reply_neither_is_named() {
        check(printed("bcdef\0\0\0\n", false), &[]);
        check(printed("got bcdef\n", false), &[]);
    }

    #[test]
    fn a_reply_on_stderr_counts_only_where_stdout_is_empty() {
        check(printed("", true), &["client_replies_on_stderr"]);
        check(printed("", false), &[]);
        check(printed("bcd\n", true), &[]);
        check(printed("abcde\n", true), &["client_prints_own_message"]);
    }
}
