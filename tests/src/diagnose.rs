//! From evidence to the mistake that explains it, or to nothing.
//!
//! Each rule is a function of everything that was seen in a run and names one mistake, with one sentence of evidence and the
//! failed checks that follow from it. A rule that another explanation would fit as well stays silent: a wrong name is worse
//! than none. How a program ended is evidence; what it prints is none, but for the system's own words for an error.

mod echo_client;
mod echo_server;

use crate::evidence::Clue;
use crate::{Diagnosis, Difference, Failure, Status, Verdict};

/// Where no mistake is made out yet.
pub(crate) fn nothing(_verdicts: &[Verdict]) -> Vec<Diagnosis> {
    Vec::new()
}

/// The mistakes of the echo practical.
pub(crate) fn echo(verdicts: &[Verdict]) -> Vec<Diagnosis> {
    by(&[echo_server::RULES, echo_client::RULES], verdicts)
}

/// Names one mistake, or nothing.
type Rule = fn(&Seen<'_>) -> Option<Diagnosis>;

fn by(rules: &[&[Rule]], verdicts: &[Verdict]) -> Vec<Diagnosis> {
    let seen = Seen { verdicts };
    rules.iter().copied().flatten().filter_map(|rule| rule(&seen)).collect()
}

/// Everything that was seen in a run.
struct Seen<'a> {
    verdicts: &'a [Verdict],
}

/// A failed check with its evidence.
#[derive(Clone, Copy)]
struct Failed<'a> {
    verdict: &'a Verdict,
    failure: &'a Failure,
}

impl<'a> Seen<'a> {
    /// The check, if it failed.
    fn failed(&self, id: &str) -> Option<Failed<'a>> {
        self.all_failed().find(|failed| failed.verdict.check == id)
    }

    fn all_failed(&self) -> impl Iterator<Item = Failed<'a>> {
        self.verdicts.iter().filter_map(|verdict| match &verdict.status {
            Status::Failed(failure) => Some(Failed { verdict, failure }),
            _ => None,
        })
    }

    fn passed(&self, id: &str) -> bool {
        self.verdicts.iter().any(|verdict| verdict.check == id && verdict.status == Status::Passed)
    }

    /// This mistake explains those of the checks that failed, and at least one did.
    fn name(&self, mistake: &'static str, because: impl Into<String>, checks: &[&str]) -> Option<Diagnosis> {
        let failed = self.all_failed().map(|failed| failed.verdict.check);
        let checks: Vec<&'static str> = failed.filter(|id| checks.contains(id)).collect();
        (!checks.is_empty()).then(|| Diagnosis { mistake, because: because.into(), checks })
    }
}

impl<'a> Failed<'a> {
    fn clues(self) -> impl Iterator<Item = &'a Clue> {
        self.verdict.clues.0.iter()
    }

    /// The first clue from which something can be taken.
    fn clue<T>(self, take: impl FnMut(&'a Clue) -> Option<T>) -> Option<T> {
        self.clues().find_map(take)
    }

    fn has(self, clue: &Clue) -> bool {
        self.clues().any(|other| other == clue)
    }

    fn difference(self) -> Option<&'a Difference> {
        self.failure.difference.as_deref()
    }

    /// The program had ended by itself.
    fn died(self) -> bool {
        self.verdict.ended.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Clues;
    use crate::patience::GaveUp;
    use crate::peer::{Ending, Received};

    fn failed(check: &'static str, clues: &[Clue]) -> Verdict {
        let status = Status::Failed(Failure::new("something", "something else"));
        Verdict { clues: Clues(clues.to_vec()), ..Verdict::new(check, status) }
    }

    fn wrong_bytes(check: &'static str, expected: &[u8], came: &[u8], ending: Option<Ending>) -> Verdict {
        let received = Received { equal: 0, bytes: came.to_vec(), ending };
        let difference = Difference::between(expected, &received).map(Box::new);
        Verdict::new(check, Status::Failed(Failure { difference, ..Failure::new("something", "something else") }))
    }

    #[track_caller]
    fn check(verdicts: &[Verdict], names: &[&str]) {
        let named: Vec<&str> = echo(verdicts).into_iter().map(|diagnosis| diagnosis.mistake).collect();
        assert_eq!(named, names);
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
    fn a_failure_without_clues_has_no_name() {
        let every_check = crate::PRACTICALS.iter().flat_map(crate::Practical::checks);
        let verdicts: Vec<Verdict> = every_check.map(|check| failed(check.id, &[])).collect();
        let named = echo(&verdicts);
        // That a reset stops a server which lives on needs no clue besides the verdict.
        assert!(named.iter().all(|diagnosis| diagnosis.mistake == "one_bad_client_stops_all"), "{named:?}");
    }

    #[test]
    fn every_mistake_is_explained_by_failed_checks_only() {
        let verdicts =
            [failed("adds_nothing", &[Clue::Greeting(b"hi".to_vec())]), Verdict::new("obeys_no_words", Status::Passed)];
        assert_eq!(echo(&verdicts)[0].checks, ["adds_nothing"]);
    }

    #[test]
    fn a_limit_on_clients_is_one_number() {
        check(
            &[failed("keeps_clients_apart", &[Clue::Served(8)]), failed("holds_many_clients", &[Clue::Served(8)])],
            &["few_clients"],
        );
        check(
            &[failed("keeps_clients_apart", &[Clue::Served(8)]), failed("holds_many_clients", &[Clue::Served(31)])],
            &[],
        );
    }

    #[test]
    fn a_trimmed_word_is_not_obeyed() {
        check(&[failed("obeys_no_words", &[answer(b"\n", b""), answer(b"q\n", b"q")])], &["trims_whitespace"]);
        check(&[failed("obeys_no_words", &[answer(b"q", b"")])], &["obeys_words"]);
    }

    #[test]
    fn a_server_may_trim_and_stop_at_nul_and_obey() {
        let clues = [answer(b"quit", b""), answer(b"q\n", b"q"), answer(b"trailing\0", b"trailing")];
        check(&[failed("obeys_no_words", &clues)], &["stops_at_nul", "trims_whitespace", "obeys_words"]);
    }

    #[test]
    fn only_what_begins_with_0x80_shows_that_bytes_are_taken_for_text() {
        let first: Vec<u8> = (0x80..0x90).collect();
        let last: Vec<u8> = (0xf0..=0xff).collect();
        check(&[failed("echoes_every_byte_value", &[answer(&first, b""), answer(&last, b"")])], &["text_only"]);
        check(&[failed("echoes_every_byte_value", &[answer(&last, b"")])], &[]);
        check(&[failed("echoes_every_byte_value", &[answer(b"0123456789", b""), answer(&first, b"")])], &[]);
    }

    #[test]
    fn a_first_reply_before_the_end_is_one_read_or_a_short_one() {
        let silent = |long: [(usize, usize, bool); 2]| {
            let mut verdict = wrong_bytes("echoes_message_after_message", b"second", b"", Some(Ending::EndOfStream));
            let long = long.map(|(sent, came, closed)| Clue::LongMessage { sent, came, closed, buffer: None });
            verdict.clues = Clues([vec![Clue::FailedAt(2)], long.to_vec()].concat());
            verdict
        };
        check(&[silent([(61_440, 1024, true), (64_000, 1024, true)])], &["reads_once"]);
        check(&[silent([(61_440, 61_440, false), (64_000, 64_000, true)])], &["stops_at_short_read"]);
        check(&[silent([(61_440, 61_440, true), (64_000, 64_000, true)])], &[]);
    }

    #[test]
    fn what_follows_the_echo_tells_whose_it_is() {
        check(&[wrong_bytes("adds_nothing", b"echo", b"echo\n", None)], &["adds_newline"]);
        check(&[wrong_bytes("adds_nothing", b"echo", b"echo\0\0\0\0", None)], &["sends_whole_buffer"]);
        check(&[wrong_bytes("adds_nothing", b"echo", b"echo, you said", None)], &["decorates"]);
        check(&[wrong_bytes("adds_nothing", b"echo", b"echo\0", None)], &[]);
    }

    #[test]
    fn a_program_that_could_not_start_is_not_one_that_never_listens() {
        check(&[failed("echoes_short_message", &[Clue::NeverListened(None)])], &["never_listens"]);
        #[cfg(unix)]
        {
            let panicked: std::process::ExitStatus = std::os::unix::process::ExitStatusExt::from_raw(101 << 8);
            check(&[failed("echoes_short_message", &[Clue::NeverListened(Some(panicked))])], &[]);
        }
    }
}
