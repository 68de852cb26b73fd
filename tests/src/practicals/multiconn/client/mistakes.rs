//! The mistakes of a client with many connections.

use crate::engine::diagnose::{Failed, Rule, Seen, rule};
use crate::engine::evidence::Clue;
use crate::engine::transcript::show;
use crate::engine::verdict::Diagnosis;
use crate::practicals::multiconn::server::mistakes::THREADS;

/// Its second connection came once the first was served.
pub(super) const CONNECTS_AGAIN: &str = "connects again";

/// Its second message came once the first was answered.
pub(super) const SENDS_ONCE_ANSWERED: &str = "sends once answered";

/// It closed a connection when so many bytes of a reply had been sent.
pub(super) const CLOSED_AFTER: &str = "closed after";

/// It closes so many connections if they are answered in their own order.
pub(super) const TAKES_IN_ORDER: &str = "takes in order";

/// All went well, and its lines are others.
pub(super) const TELLS_OTHERWISE: &str = "tells otherwise";

/// So many connections at once go well, and one more does not.
pub(super) const MOST_CONNECTIONS: &str = "most connections";

/// In the order in which a student should hear of them.
pub(crate) const RULES: &[Rule] = &[
    rule!(client_one_after_another),
    rule!(client_thread_for_each),
    rule!(client_adds_newline),
    rule!(client_waits_for_reply),
    rule!(client_takes_first_piece),
    rule!(client_fixed_order),
    rule!(client_tells_otherwise),
    rule!(client_hides_failure),
    rule!(client_small_table),
];

fn client_one_after_another(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "client_opens_all_at_once";
    let connections = seen.failed(check)?.own(CONNECTS_AGAIN)?;
    let because = format!(
        "of {connections} connections the next came only when the one before it had been answered and closed"
    );
    seen.name("client_one_after_another", because, &[check])
}

fn client_thread_for_each(seen: &Seen<'_>) -> Option<Diagnosis> {
    const CONNECTIONS: usize = 20;
    let check = "client_works_in_one_thread";
    let threads = seen.failed(check)?.own(THREADS).filter(|threads| *threads >= CONNECTIONS)?;
    let because = format!("with {CONNECTIONS} connections open it had {threads} threads");
    seen.name("client_thread_for_each", because, &[check])
}

const SENDS: &str = "client_sends_both_messages";

fn client_adds_newline(seen: &Seen<'_>) -> Option<Diagnosis> {
    let difference = seen.failed(SENDS)?.difference()?;
    let wrong = difference.wrong();
    let is_newline = wrong.starts_with(b"\n") || wrong.starts_with(b"\r\n");
    let because =
        format!("after the first {} bytes the server received {}", difference.at, show(wrong, 4));
    if is_newline { seen.name("client_adds_newline", because, &[SENDS]) } else { None }
}

fn client_waits_for_reply(seen: &Seen<'_>) -> Option<Diagnosis> {
    seen.failed(SENDS)?.own(SENDS_ONCE_ANSWERED)?;
    let because = "the second message did not come; it came as soon as the first was answered";
    seen.name("client_waits_for_reply", because, &[SENDS])
}

const PIECES: &str = "client_counts_pieces";
const CUT: &str = "client_reports_cut_connection";

fn client_takes_first_piece(seen: &Seen<'_>) -> Option<Diagnosis> {
    seen.failed(PIECES)?.own(CLOSED_AFTER)?;
    let because = "one byte of a reply had come on a connection, and the client closed it";
    seen.name("client_takes_first_piece", because, &[PIECES, CUT])
}

fn client_fixed_order(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "client_takes_any_order";
    seen.failed(check)?.own(TAKES_IN_ORDER)?;
    let because = "the last connection's reply was whole and nothing happened; answered in their own order, all are closed";
    seen.name("client_fixed_order", because, &[check])
}

fn client_tells_otherwise(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "client_tells_its_steps";
    let failed = seen.failed(check).filter(|failed| failed.own(TELLS_OTHERWISE).is_some())?;
    let because = format!("all went well; expected {}", failed.failure.expected);
    seen.name("client_tells_otherwise", because, &[check])
}

/// What it does not notice, as it takes a part of a reply for the whole, it does not hide.
fn client_hides_failure(seen: &Seen<'_>) -> Option<Diagnosis> {
    let is_hidden = |failed: &Failed<'_>| {
        failed.clues().any(
            |clue| matches!(clue, Clue::Reported { status: Some(status), .. } if status.success()),
        )
    };
    let refused = seen.failed("client_reports_refusal").filter(is_hidden);
    let cut = seen.failed(CUT).filter(is_hidden).filter(|_| seen.passed(PIECES));
    let because = match (refused, cut) {
        (Some(_), _) => "nobody listened, and its exit status was 0",
        (None, Some(_)) => "one connection was cut, and its exit status was 0",
        (None, None) => return None,
    };
    let checks: Vec<&str> =
        [refused, cut].into_iter().flatten().map(|failed| failed.verdict.check).collect();
    seen.name("client_hides_failure", because, &checks)
}

/// Where a server serves few, that is no client's mistake.
fn client_small_table(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "hundred_connections_agree";
    let most = seen.failed(check)?.own(MOST_CONNECTIONS).filter(|most| *most > 1)?;
    if seen
        .all_failed()
        .any(|failed| failed.verdict.check != check && !failed.verdict.check.starts_with("client"))
    {
        return None;
    }
    seen.name(
        "client_small_table",
        format!("{most} connections at once go well, and {} do not", most + 1),
        &[check],
    )
}
