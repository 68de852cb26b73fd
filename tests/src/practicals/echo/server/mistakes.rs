//! The mistakes of an echo server.

use std::process::ExitStatus;

use super::follow_up::{END_COMES, WAITS_TO_WRITE};
use crate::engine::compare::Deviation;
use crate::engine::compare::{self, bytes, describe};
use crate::engine::diagnose::{Failed, Rule, Seen, rule};
use crate::engine::evidence::{Clue, Trigger};
use crate::engine::peer::Ending;
use crate::engine::program;
use crate::engine::transcript::show;
use crate::engine::verdict::Diagnosis;

/// In the order in which a student should hear of them.
pub(crate) const RULES: &[Rule] = &[
    rule!(never_listens),
    rule!(ignores_address),
    rule!(listens_everywhere),
    rule!(accepts_only),
    rule!(waits_for_newline),
    rule!(waits_for_end),
    rule!(greets),
    rule!(decorates),
    rule!(adds_newline),
    rule!(sends_whole_buffer),
    rule!(reads_once),
    rule!(stops_at_short_read),
    rule!(drops_after_buffer),
    rule!(text_only),
    rule!(stops_at_nul),
    rule!(trims_whitespace),
    rule!(obeys_words),
    rule!(one_client_ever),
    rule!(one_client_at_a_time),
    rule!(few_clients),
    rule!(mixes_clients),
    rule!(partial_write),
    rule!(closes_too_early),
    rule!(drops_data_at_end),
    rule!(never_closes),
    rule!(dies_on_empty),
    rule!(dies_on_reset),
    rule!(one_bad_client_stops_all),
    rule!(holds_the_port),
    rule!(spins),
    rule!(panics_on_error),
    rule!(misreports_errors),
];

// ---- where it listens ----

pub(crate) fn never_listens(seen: &Seen<'_>) -> Option<Diagnosis> {
    let listening = |failed: Failed<'_>| {
        failed.clue(|clue| match clue {
            Clue::NeverListened(None) => Some("the program runs, and no socket of it listens".to_owned()),
            Clue::NeverListened(Some(status)) if status.success() => {
                Some("the program ended with exit status 0, and no socket of it had listened".to_owned())
            }
            // What accept(2) answers where nobody has called listen(2); any other error may mean
            // anything.
            Clue::NeverListened(Some(status)) if says(failed, "Invalid argument") => Some(format!(
                "no socket of it had listened when the program ended with {}: accepting from a socket that does not listen is an invalid argument",
                program::describe(*status)
            )),
            _ => None,
        })
    };
    let because = seen.all_failed().find_map(listening)?;
    let all: Vec<&str> = seen
        .all_failed()
        .filter(|failed| listening(*failed).is_some())
        .map(|failed| failed.verdict.check)
        .collect();
    seen.name("never_listens", because, &all)
}

fn says(failed: Failed<'_>, words: &str) -> bool {
    failed.verdict.stderr_tail.windows(words.len()).any(|window| window == words.as_bytes())
}

pub(crate) fn ignores_address(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "listens_on_given_address";
    let because = seen.failed(check)?.clue(|clue| match clue {
        Clue::ListensOn(addresses, told) => {
            let elsewhere = addresses.iter().all(|address| {
                address.port() != told.port()
                    || !address.ip().is_unspecified() && address.ip() != told.ip()
            });
            elsewhere.then(|| format!("it was told {told}, and listens on {}", addresses[0]))
        }
        _ => None,
    })?;
    seen.name("ignores_address", because, &[check])
}

pub(crate) fn listens_everywhere(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "listens_on_given_address";
    let because = seen.failed(check)?.clue(|clue| match clue {
        Clue::ListensOn(addresses, told) => {
            let everywhere = addresses
                .iter()
                .find(|address| address.port() == told.port() && address.ip().is_unspecified())?;
            Some(format!("it was told {told}, and listens on {everywhere}"))
        }
        _ => None,
    })?;
    seen.name("listens_everywhere", because, &[check])
}

// ---- whether it replies ----

/// What a silent server waits for.
fn silent(seen: &Seen<'_>, trigger: Trigger) -> Option<Diagnosis> {
    let check = "echoes_short_message";
    seen.failed(check).filter(|failed| failed.has(&Clue::Replies(trigger)))?;
    let (mistake, because) = match trigger {
        Trigger::Newline => (
            "waits_for_newline",
            "it said nothing to a message, and replied as soon as a newline came",
        ),
        Trigger::EndOfStream => (
            "waits_for_end",
            "it said nothing to a message nor to a newline, and replied once the client had half-closed",
        ),
        Trigger::Never => (
            "accepts_only",
            "it had accepted its client, and said nothing to a message, to a newline, to 64 KiB, and to a half-close",
        ),
        Trigger::More => return None,
    };
    seen.name(mistake, because, &[check])
}

fn accepts_only(seen: &Seen<'_>) -> Option<Diagnosis> {
    silent(seen, Trigger::Never)
}

fn waits_for_newline(seen: &Seen<'_>) -> Option<Diagnosis> {
    silent(seen, Trigger::Newline)
}

fn waits_for_end(seen: &Seen<'_>) -> Option<Diagnosis> {
    silent(seen, Trigger::EndOfStream)
}

// ---- what it replies ----

fn greets(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "adds_nothing";
    let greeting = seen.failed(check)?.clue(|clue| match clue {
        Clue::Greeting(greeting) => Some(greeting),
        _ => None,
    })?;
    let because = format!("a client that had said nothing received {}", show(greeting, 40));
    seen.name("greets", because, &[check])
}

/// What stands after the echo in `adds_nothing`.
fn suffix<'a>(seen: &Seen<'a>) -> Option<&'a [u8]> {
    let difference = seen.failed("adds_nothing")?.difference()?;
    matches!(difference.deviation, Deviation::Long(_)).then(|| difference.wrong())
}

fn is_newline(bytes: &[u8]) -> bool {
    matches!(bytes, b"\n" | b"\r\n")
}

/// So many NUL bytes come from a buffer; one may be the end of a string.
fn is_rest_of_buffer(bytes: &[u8]) -> bool {
    bytes.len() > 1 && bytes.contains(&0)
}

fn adds_newline(seen: &Seen<'_>) -> Option<Diagnosis> {
    let suffix = suffix(seen).filter(|suffix| is_newline(suffix))?;
    let because = format!("after the echo came {}", show(suffix, 8));
    seen.name("adds_newline", because, &["adds_nothing"])
}

fn decorates(seen: &Seen<'_>) -> Option<Diagnosis> {
    let other_bytes = |failed: Failed<'_>| {
        let difference = failed.difference()?;
        let differs = matches!(difference.deviation, Deviation::Changed | Deviation::Added(_));
        differs.then(|| {
            format!(
                "to {} it answered {}",
                show(&difference.expected, 24),
                show(&difference.observed, 24)
            )
        })
    };
    let greets = seen
        .failed("adds_nothing")
        .is_some_and(|failed| failed.clues().any(|clue| matches!(clue, Clue::Greeting(_))));
    let around = || {
        let ends = suffix(seen)
            .filter(|suffix| suffix.len() > 1 && !is_newline(suffix) && !is_rest_of_buffer(suffix));
        let after = ends.map(|suffix| format!("after the echo came {}", show(suffix, 24)));
        after.or_else(|| seen.failed("adds_nothing").filter(|_| !greets).and_then(other_bytes))
    };
    // Certain bytes only; where the first that are no text differ, it is text that is meant.
    let values = answers(seen, VALUES);
    let certain = || {
        values
            .iter()
            .find(|answer| answer.message.is_ascii() && answer.is_decorated())
            .map(Answer::how)
    };
    let because = seen
        .failed("echoes_short_message")
        .and_then(other_bytes)
        .or_else(around)
        .or_else(certain)?;
    seen.name("decorates", because, &["echoes_short_message", "adds_nothing", VALUES])
}

fn sends_whole_buffer(seen: &Seen<'_>) -> Option<Diagnosis> {
    if let Some(suffix) = suffix(seen).filter(|suffix| is_rest_of_buffer(suffix)) {
        let because = format!(
            "after the echo came {} that nobody had sent: {}",
            bytes(suffix.len()),
            compare::show_run(suffix)
        );
        return seen.name("sends_whole_buffer", because, &["adds_nothing"]);
    }
    let check = "echoes_message_after_message";
    let stale = seen.failed(check)?.clue(|clue| match clue {
        Clue::StaleBytes(bytes) => Some(bytes),
        _ => None,
    })?;
    let because = format!(
        "after a short message came {}, the end of a longer one before it",
        show(stale, 16)
    );
    seen.name("sends_whole_buffer", because, &[check])
}

// ---- where a message ends ----

/// What came of a long first message: its size, how many bytes came back, whether the connection
/// was ended then, and the size of the buffer, where it was seen.
type Long = (usize, usize, bool, Option<usize>);

/// What came of long first messages, where the server ends the connection after its first reply.
fn closes_after_first(seen: &Seen<'_>) -> Option<Vec<Long>> {
    let failed = seen
        .failed("echoes_message_after_message")
        .filter(|failed| failed.has(&Clue::FailedAt(2)))?;
    let ended = failed.difference()?.ending.is_some_and(Ending::is_closed);
    let long = failed.clues().filter_map(|clue| match clue {
        Clue::LongMessage { sent, came, closed, buffer } => Some((*sent, *came, *closed, *buffer)),
        _ => None,
    });
    Some(long.collect()).filter(|long: &Vec<_>| ended && long.len() > 1)
}

const AFTER_FIRST: [&str; 2] = ["echoes_message_after_message", "echoes_byte_by_byte"];

fn reads_once(seen: &Seen<'_>) -> Option<Diagnosis> {
    let long =
        closes_after_first(seen).filter(|long| long.iter().all(|(_, _, closed, _)| *closed))?;
    let because = if let Some((sent, came, ..)) = long.iter().find(|(sent, came, ..)| came < sent) {
        format!(
            "after its first reply it closes; of a message of {sent} bytes {came} come back before that"
        )
    } else if long.iter().all(|(sent, _, _, buffer)| buffer.is_some_and(|size| size > *sent)) {
        format!(
            "after its first reply it closes, be it one of {} bytes, which fit into its buffer",
            long[0].0
        )
    } else {
        return None;
    };
    seen.name("reads_once", because, &AFTER_FIRST)
}

fn stops_at_short_read(seen: &Seen<'_>) -> Option<Diagnosis> {
    if let Some(long) =
        closes_after_first(seen).filter(|long| long.iter().all(|(sent, came, ..)| came == sent))
    {
        let because = if let Some((sent, ..)) = long.iter().find(|(_, _, closed, _)| !closed) {
            format!(
                "it closes after a short message, and not after one of {sent} bytes, which fills its buffer to the last byte"
            )
        } else if long.iter().all(|(sent, _, _, buffer)| buffer.is_some_and(|size| size < *sent)) {
            format!(
                "it closes after a short message, and reads on where its buffer of {} bytes is full",
                long[0].3?
            )
        } else {
            return None;
        };
        return seen.name("stops_at_short_read", because, &AFTER_FIRST);
    }
    let check = "echoes_every_size";
    let bad = seen.failed(check)?.clue(|clue| match clue {
        Clue::Size { bad, ending: Some(Ending::Silence(_)), longer_works: true, .. } => Some(*bad),
        _ => None,
    })?;
    let because =
        format!("a message of {bad} bytes does not come back, and one byte less or one more does");
    let fills = |length: usize| length > 0 && length.is_multiple_of(bad);
    let values = answers(seen, VALUES);
    let mut explained = vec![check];
    explained.extend(
        (!values.is_empty() && values.iter().all(|answer| fills(answer.message.len())))
            .then_some(VALUES),
    );
    let apart = seen.failed("keeps_clients_apart").and_then(Failed::difference);
    explained.extend(
        apart.filter(|difference| fills(difference.expected_length)).map(|_| "keeps_clients_apart"),
    );
    seen.name("stops_at_short_read", because, &explained)
}

fn drops_after_buffer(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "echoes_every_size";
    let (bad, came) = seen.failed(check)?.clue(|clue| match clue {
        Clue::Size {
            bad,
            came,
            ending: Some(Ending::Silence(_)),
            holds_so_many: true,
            goes_on: true,
            ..
        } => Some((*bad, *came)),
        _ => None,
    })?;
    let because = format!(
        "of {bad} bytes the first {came} come back, and the next message is answered as if nothing were missing"
    );
    seen.name("drops_after_buffer", because, &[check])
}

// ---- what a message says ----

/// What came back for a message that was said to a fresh process.
struct Answer<'a> {
    message: &'a [u8],
    came: &'a [u8],
    ending: Option<Ending>,
    died: bool,
}

impl Answer<'_> {
    fn how(&self) -> String {
        let asked = describe(self.message);
        match self.ending {
            _ if self.died => format!("{asked} ended the program"),
            Some(Ending::EndOfStream) => format!("{asked} made it close the connection"),
            Some(Ending::Reset) => format!("{asked} made it reset the connection"),
            _ if self.came.is_empty() => format!("{asked} was not answered"),
            _ => format!("{asked} came back as {}", describe(self.came)),
        }
    }

    fn has_nul(&self) -> bool {
        self.message.contains(&0)
    }

    /// It came back up to its first NUL.
    fn stops_at_nul(&self) -> bool {
        self.message
            .iter()
            .position(|byte| *byte == 0)
            .is_some_and(|at| self.came == &self.message[..at])
    }

    /// It came back without some of the blanks at its ends.
    fn is_trimmed(&self) -> bool {
        let core = self.message.trim_ascii();
        let all = [self.message, self.message.trim_ascii_start()];
        let cut = all.iter().any(|all| all.starts_with(self.came))
            && self.came.len() < self.message.len();
        !core.is_empty() && cut && self.came.trim_ascii() == core
            || self.came == self.message.trim_ascii_start() && self.came != self.message
    }

    /// It came back, and other bytes stood in it.
    fn is_decorated(&self) -> bool {
        !self.came.is_empty() && !self.message.starts_with(self.came) && !self.is_trimmed()
    }

    /// It consists of blanks alone, and nothing of it came back.
    fn is_trimmed_away(&self) -> bool {
        self.came.is_empty() && self.message.trim_ascii().is_empty()
    }
}

fn answers<'a>(seen: &Seen<'a>, check: &str) -> Vec<Answer<'a>> {
    let clues = seen.failed(check).into_iter().flat_map(Failed::clues);
    clues
        .filter_map(|clue| match clue {
            Clue::Answer { message, came, ending, died } => {
                Some(Answer { message, came, ending: *ending, died: *died })
            }
            _ => None,
        })
        .collect()
}

const VALUES: &str = "echoes_every_byte_value";
const WORDS: &str = "obeys_no_words";

/// The first bytes that are no text: all before them came back, or fail for another reason that is
/// known.
fn text_only(seen: &Seen<'_>) -> Option<Diagnosis> {
    let answers = answers(seen, VALUES);
    let first = answers.iter().find(|answer| answer.message.first() == Some(&0x80))?;
    let is_known =
        |answer: &Answer<'_>| answer.has_nul() || answer.is_trimmed() || answer.is_decorated();
    let others_known = answers.iter().all(|answer| !answer.message.is_ascii() || is_known(answer));
    if others_known { seen.name("text_only", first.how(), &[VALUES]) } else { None }
}

fn stops_at_nul(seen: &Seen<'_>) -> Option<Diagnosis> {
    let words = answers(seen, WORDS);
    let with_nul: Vec<&Answer<'_>> = words.iter().filter(|answer| answer.has_nul()).collect();
    let inside =
        with_nul.iter().find(|answer| answer.stops_at_nul() && answer.message.len() > 1)?;
    if with_nul.iter().any(|answer| !answer.stops_at_nul()) {
        return None;
    }
    let values = answers(seen, VALUES);
    let only_nul =
        values.iter().any(|answer| answer.has_nul()) && values.iter().all(Answer::has_nul);
    seen.name("stops_at_nul", inside.how(), if only_nul { &[WORDS, VALUES] } else { &[WORDS] })
}

fn trims_whitespace(seen: &Seen<'_>) -> Option<Diagnosis> {
    let words = answers(seen, WORDS);
    let trimmed = words.iter().find(|answer| answer.is_trimmed())?;
    let values = answers(seen, VALUES);
    let only_trimmed = values.iter().all(|answer| answer.is_trimmed() || answer.is_trimmed_away());
    seen.name(
        "trims_whitespace",
        trimmed.how(),
        if only_trimmed { &[WORDS, VALUES] } else { &[WORDS] },
    )
}

fn obeys_words(seen: &Seen<'_>) -> Option<Diagnosis> {
    let words = answers(seen, WORDS);
    let trims = words.iter().any(Answer::is_trimmed);
    let obeyed = words.iter().find(|answer| {
        let explained =
            answer.has_nul() || answer.is_trimmed() || trims && answer.is_trimmed_away();
        !explained
    })?;
    seen.name("obeys_words", obeyed.how(), &[WORDS])
}

// ---- several clients ----

fn one_client_ever(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "serves_next_client";
    let failed = seen.failed(check).filter(|failed| failed.has(&Clue::FailedAt(2)))?;
    let because = match &failed.verdict.ended {
        // Be it by an error: whether that shows before the next client's does, is chance.
        Some(exit) => format!("when its first client had gone, the program ended: {exit}"),
        None => {
            format!("when its first client had gone, the second got {}", failed.failure.observed)
        }
    };
    seen.name("one_client_ever", because, &[check])
}

fn one_client_at_a_time(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "serves_clients_at_once";
    seen.failed(check).filter(|failed| failed.has(&Clue::ServedOnceTheFirstHadGone))?;
    let because = "a second client got no reply, and got it as soon as the first had closed";
    seen.name("one_client_at_a_time", because, &[check])
}

fn few_clients(seen: &Seen<'_>) -> Option<Diagnosis> {
    few_clients_in(seen, &["serves_clients_at_once", "keeps_clients_apart", "holds_many_clients"])
}

/// In all of these checks that failed it was the same number of clients that were served.
pub(crate) fn few_clients_in(seen: &Seen<'_>, checks: &[&str]) -> Option<Diagnosis> {
    let failed: Vec<Failed<'_>> = checks.iter().filter_map(|check| seen.failed(check)).collect();
    let numbers: Vec<usize> = failed
        .iter()
        .filter(|failed| !failed.died())
        .filter_map(|failed| {
            failed.clue(|clue| if let Clue::Served(number) = clue { Some(*number) } else { None })
        })
        .collect();
    let number = *numbers.first().filter(|number| **number > 1)?;
    if numbers.len() < failed.len() || numbers.iter().any(|other| *other != number) {
        return None;
    }
    seen.name(
        "few_clients",
        format!("{number} clients are served at the same time, one more is not"),
        checks,
    )
}

fn mixes_clients(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "keeps_clients_apart";
    seen.failed(check).filter(|failed| failed.has(&Clue::OthersBytes))?;
    // Whether the others' bytes come between those of one client there is a matter of chance.
    seen.name(
        "mixes_clients",
        "a client received bytes that another one had sent",
        &[check, "outlasts_slow_reader"],
    )
}

// ---- much to send ----

/// A server that loses what a late reader is owed gets the end of it across all the same, or not;
/// `None` where it is not known.
pub(crate) fn the_end_comes(failed: Failed<'_>) -> Option<bool> {
    const TELLING: usize = 8; // by chance so many letters are never the same
    failed.own(END_COMES).map(|end| end >= TELLING)
}

fn partial_write(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "echoes_large_message";
    let failed = seen
        .failed(check)
        .filter(|failed| !failed.died() && the_end_comes(*failed) == Some(false))?;
    let difference = failed.difference()?;
    let because = match (difference.deviation, difference.ending) {
        (Deviation::Lost(_) | Deviation::OutOfOrder | Deviation::Changed, _) => {
            format!(
                "to a client that reads late, bytes are missing after the first {}",
                difference.at
            )
        }
        (Deviation::Short(missing), Some(Ending::Silence(_))) => {
            format!(
                "of {} a client that reads late never gets {missing}",
                bytes(difference.expected_length)
            )
        }
        _ => return None,
    };
    seen.name("partial_write", because, &[check])
}

fn closes_too_early(seen: &Seen<'_>) -> Option<Diagnosis> {
    let checks = ["echoes_large_message", "outlasts_slow_reader"];
    let because = checks.iter().filter_map(|check| seen.failed(check)).find_map(|failed| {
        let difference = failed.difference().filter(|_| !failed.died())?;
        let ending = difference.ending.filter(|ending| ending.is_closed())?;
        let short = matches!(difference.deviation, Deviation::Short(_));
        short.then(|| {
            format!(
                "a client that reads late gets {} of {} bytes, then {ending}",
                difference.observed_length, difference.expected_length
            )
        })
    })?;
    seen.name("closes_too_early", because, &checks)
}

// ---- the end of a conversation ----

fn half_close(seen: &Seen<'_>) -> Option<(bool, Option<Ending>)> {
    seen.failed("flushes_before_close")?.clue(|clue| match clue {
        Clue::HalfClose { complete, ending } => Some((*complete, *ending)),
        _ => None,
    })
}

fn drops_data_at_end(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "flushes_before_close";
    let failed = seen.failed(check).filter(|failed| !failed.died())?;
    let (false, Some(ending)) = half_close(seen)? else { return None };
    let short = failed
        .difference()
        .filter(|difference| matches!(difference.deviation, Deviation::Short(_)))?;
    let because = format!(
        "after a half-close {} of {} came, then {ending}; without a half-close all of it comes",
        short.observed_length,
        bytes(short.expected_length)
    );
    if ending.is_closed() { seen.name("drops_data_at_end", because, &[check]) } else { None }
}

/// It is busy only because of clients that have ended their side; `None` where that is not known.
fn is_busy_with_the_gone(seen: &Seen<'_>) -> Option<bool> {
    const LITTLE: u32 = 3;
    seen.failed("rests_when_idle")?.clue(|clue| match clue {
        Clue::BusyWithNobodyGone(percent) => Some(*percent <= LITTLE),
        _ => None,
    })
}

fn never_closes(seen: &Seen<'_>) -> Option<Diagnosis> {
    let left = seen.failed("closes_after_client")?.clue(|clue| match clue {
        Clue::LeftOpen(count) if *count > 0 => Some(*count),
        _ => None,
    })?;
    let because = format!(
        "2 s after its clients had closed it still held {left} of their sockets, in CLOSE_WAIT"
    );
    let mut checks = vec!["closes_after_client"];
    if let Some((true, Some(Ending::Silence(_)))) = half_close(seen) {
        checks.push("flushes_before_close");
    }
    if is_busy_with_the_gone(seen) == Some(true) {
        checks.push("rests_when_idle");
    }
    seen.name("never_closes", because, &checks)
}

fn dies_on_empty(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "survives_empty_connection";
    let exit = seen.failed(check)?.verdict.ended.as_ref()?;
    let because = format!("clients came and went without a word, and the program ended: {exit}");
    seen.name("dies_on_empty", because, &[check])
}

fn dies_on_reset(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "survives_reset";
    let exit = seen.failed(check)?.verdict.ended.as_ref()?;
    seen.name(
        "dies_on_reset",
        format!("a client reset its connection, and the program ended: {exit}"),
        &[check],
    )
}

fn one_bad_client_stops_all(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "survives_reset";
    let failed = seen.failed(check).filter(|failed| !failed.died())?;
    let is_unserved = failed.difference().is_none_or(|difference| difference.observed_length == 0);
    let mut checks = vec![check];
    if seen.failed("survives_empty_connection").is_some_and(|failed| !failed.died()) {
        checks.push("survives_empty_connection");
    }
    let because = format!(
        "a client reset its connection; the program lives on, and another client got {}",
        failed.failure.observed
    );
    if is_unserved { seen.name("one_bad_client_stops_all", because, &checks) } else { None }
}

// ---- conduct ----

fn holds_the_port(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "restarts_on_same_port";
    seen.failed(check)
        .filter(|failed| failed.has(&Clue::NotRestarted { reuses_address: Some(false) }))?;
    let because = "its listening socket does not have SO_REUSEADDR, and it could not listen again on the same port";
    seen.name("holds_the_port", because, &[check])
}

/// What else keeps it busy has a name of its own, so that must be known not to be it.
fn spins(seen: &Seen<'_>) -> Option<Diagnosis> {
    let check = "rests_when_idle";
    let failed = seen.failed(check).filter(|failed| failed.own(WAITS_TO_WRITE).is_some())?;
    let percent =
        failed.clue(|clue| if let Clue::Busy(percent) = clue { Some(*percent) } else { None })?;
    let explained = is_busy_with_the_gone(seen)? && !seen.passed("closes_after_client");
    let because = format!("while nobody spoke it used {percent} % of a processor");
    if explained { None } else { seen.name("spins", because, &[check]) }
}

/// The checks of an error that was told in this way, and how the first of them was.
fn told(
    seen: &Seen<'_>,
    wanted: impl Fn(&str, Option<ExitStatus>, bool) -> bool,
) -> Option<(String, Vec<&'static str>)> {
    let is_told = |failed: &Failed<'_>| {
        failed.clues().any(|clue| match clue {
            Clue::Reported { status, panicked, .. } => {
                wanted(failed.verdict.check, *status, *panicked)
            }
            _ => false,
        })
    };
    let all: Vec<Failed<'_>> = seen.all_failed().filter(is_told).collect();
    let first = all.first()?.failure;
    Some((
        format!("expected {}, got {}", first.expected, first.observed),
        all.iter().map(|failed| failed.verdict.check).collect(),
    ))
}

pub(crate) fn panics_on_error(seen: &Seen<'_>) -> Option<Diagnosis> {
    let (because, checks) = told(seen, |_, _, panicked| panicked)?;
    seen.name("panics_on_error", because, &checks)
}

/// It did end, and not by a panic; a client that ends well where it failed is another mistake.
pub(crate) fn misreports_errors(seen: &Seen<'_>) -> Option<Diagnosis> {
    let (because, checks) = told(seen, |check, status, panicked| {
        let hidden = check.starts_with("client") && status.is_some_and(|status| status.success());
        !panicked && status.is_some() && !hidden
    })?;
    seen.name("misreports_errors", because, &checks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::compare::Difference;
    use crate::engine::diagnose;
    use crate::engine::evidence::Clues;
    use crate::engine::patience::GaveUp;
    use crate::engine::peer::Received;
    use crate::engine::verdict::{Failure, Status, Verdict};
    use crate::practicals::echo::client;

    fn failed(check: &'static str, clues: &[Clue]) -> Verdict {
        let status = Status::Failed(Failure::new("something", "something else"));
        Verdict { clues: Clues(clues.to_vec()), ..Verdict::new(check, status) }
    }

    fn wrong_bytes(
        check: &'static str,
        expected: &[u8],
        came: &[u8],
        ending: Option<Ending>,
    ) -> Verdict {
        let received = Received { equal: 0, bytes: came.to_vec(), ending };
        let difference = Difference::between(expected, &received).map(Box::new);
        Verdict::new(
            check,
            Status::Failed(Failure { difference, ..Failure::new("something", "something else") }),
        )
    }

    fn named(verdicts: &[Verdict]) -> Vec<Diagnosis> {
        diagnose::by(&[RULES, client::mistakes::RULES], verdicts)
    }

    #[track_caller]
    fn check(verdicts: &[Verdict], names: &[&str]) {
        let names_given: Vec<&str> =
            named(verdicts).into_iter().map(|diagnosis| diagnosis.mistake).collect();
        assert_eq!(names_given, names);
    }

    fn answer(message: &[u8], came: &[u8]) -> Clue {
        let ending = Some(Ending::Silence(GaveUp::Stuck));
        Clue::Answer { message: message.to_vec(), came: came.to_vec(), ending, died: false }
    }

    #[test]
    fn a_right_program_has_no_name() {
        check(&[Verdict::new("echoes_short_message", Status::Passed)], &[]);
    }

    #[test]
    fn every_mistake_is_explained_by_failed_checks_only() {
        let verdicts = [
            failed("adds_nothing", &[Clue::Greeting(b"hi".to_vec())]),
            Verdict::new("obeys_no_words", Status::Passed),
        ];
        assert_eq!(named(&verdicts)[0].checks, ["adds_nothing"]);
    }

    #[test]
    fn a_limit_on_clients_is_one_number() {
        check(
            &[
                failed("keeps_clients_apart", &[Clue::Served(8)]),
                failed("holds_many_clients", &[Clue::Served(8)]),
            ],
            &["few_clients"],
        );
        check(
            &[
                failed("keeps_clients_apart", &[Clue::Served(8)]),
                failed("holds_many_clients", &[Clue::Served(31)]),
            ],
            &[],
        );
    }

    #[test]
    fn a_trimmed_word_is_not_obeyed() {
        check(
            &[failed("obeys_no_words", &[answer(b"\n", b""), answer(b"q\n", b"q")])],
            &["trims_whitespace"],
        );
        check(&[failed("obeys_no_words", &[answer(b"q", b"")])], &["obeys_words"]);
    }

    #[test]
    fn a_server_may_trim_and_stop_at_nul_and_obey() {
        let clues =
            [answer(b"quit", b""), answer(b"q\n", b"q"), answer(b"trailing\0", b"trailing")];
        check(
            &[failed("obeys_no_words", &clues)],
            &["stops_at_nul", "trims_whitespace", "obeys_words"],
        );
    }

    #[test]
    fn only_what_begins_with_0x80_shows_that_bytes_are_taken_for_text() {
        let first: Vec<u8> = (0x80..0x90).collect();
        let last: Vec<u8> = (0xf0..=0xff).collect();
        check(
            &[failed("echoes_every_byte_value", &[answer(&first, b""), answer(&last, b"")])],
            &["text_only"],
        );
        check(&[failed("echoes_every_byte_value", &[answer(&last, b"")])], &[]);
        check(
            &[failed(
                "echoes_every_byte_value",
                &[answer(b"0123456789", b""), answer(&first, b"")],
            )],
            &[],
        );
    }

    #[test]
    fn a_first_reply_before_the_end_is_one_read_or_a_short_one() {
        let silent = |long: [(usize, usize, bool); 2]| {
            let mut verdict = wrong_bytes(
                "echoes_message_after_message",
                b"second",
                b"",
                Some(Ending::EndOfStream),
            );
            let long = long.map(|(sent, came, closed)| Clue::LongMessage {
                sent,
                came,
                closed,
                buffer: None,
            });
            verdict.clues = Clues([vec![Clue::FailedAt(2)], long.to_vec()].concat());
            verdict
        };
        check(&[silent([(61_440, 1024, true), (64_000, 1024, true)])], &["reads_once"]);
        check(
            &[silent([(61_440, 61_440, false), (64_000, 64_000, true)])],
            &["stops_at_short_read"],
        );
        check(&[silent([(61_440, 61_440, true), (64_000, 64_000, true)])], &[]);
    }

    #[test]
    fn what_follows_the_echo_tells_whose_it_is() {
        check(&[wrong_bytes("adds_nothing", b"echo", b"echo\n", None)], &["adds_newline"]);
        check(
            &[wrong_bytes("adds_nothing", b"echo", b"echo\0\0\0\0", None)],
            &["sends_whole_buffer"],
        );
        check(&[wrong_bytes("adds_nothing", b"echo", b"echo, you said", None)], &["decorates"]);
        check(&[wrong_bytes("adds_nothing", b"echo", b"echo\0", None)], &[]);
    }

    #[test]
    fn a_program_that_could_not_start_is_not_one_that_never_listens() {
        check(&[failed("echoes_short_message", &[Clue::NeverListened(None)])], &["never_listens"]);
        #[cfg(unix)]
        {
            let panicked: std::process::ExitStatus =
                std::os::unix::process::ExitStatusExt::from_raw(101 << 8);
            check(&[failed("echoes_short_message", &[Clue::NeverListened(Some(panicked))])], &[]);
        }
    }
}
