//! The rules on made-up findings.

use super::RULES;
use crate::engine::diagnose;
use crate::engine::difference::Difference;
use crate::engine::facts::Fact;
use crate::engine::received::{Ending, Received};
use crate::engine::running::NeverListened;
use crate::engine::verdict::{Diagnosis, Failure, Status, Verdict};
use crate::engine::wait::GaveUp;
use crate::practicals::shared::FailedAt;
use crate::practicals::shared::clients::Served;
use crate::practicals::shared::echo_server::facts::{
    Answer, Greeting, LongMessage, ServesMoreInTurn,
};

fn failure() -> Failure {
    Failure::new("something", "something else")
}

fn failed<T: Fact>(check: &'static str, facts: impl IntoIterator<Item = T>) -> Verdict {
    Verdict::new(check, Status::Failed(facts.into_iter().fold(failure(), Failure::with)))
}

fn wrong_bytes(
    check: &'static str,
    expected: &[u8],
    came: &[u8],
    ending: Option<Ending>,
) -> Verdict {
    let difference = Difference::between(expected, &Received::of(0, came, ending)).map(Box::new);
    Verdict::new(check, Status::Failed(Failure { difference, ..failure() }))
}

fn named(verdicts: &[Verdict]) -> Vec<Diagnosis> {
    diagnose::by(&[RULES], verdicts)
}

#[track_caller]
fn check(verdicts: &[Verdict], names: &[&str]) {
    let names_given: Vec<&str> =
        named(verdicts).into_iter().map(|diagnosis| diagnosis.mistake).collect();
    assert_eq!(names_given, names);
}

fn answer(message: &[u8], came: &[u8]) -> Answer {
    let ending = Some(Ending::Silence(GaveUp::Stuck));
    Answer { message: message.to_vec(), came: came.to_vec(), ending, died: false }
}

#[test]
fn a_right_program_has_no_name() {
    check(&[Verdict::new("echoes_short_message", Status::Passed)], &[]);
}

#[test]
fn every_mistake_is_explained_by_failed_checks_only() {
    let verdicts = [
        failed("adds_nothing", [Greeting(b"hi".to_vec())]),
        Verdict::new("obeys_no_words", Status::Passed),
    ];
    assert_eq!(named(&verdicts)[0].checks, ["adds_nothing"]);
}

#[test]
fn a_limit_on_clients_is_one_number() {
    let served = |check, number| {
        let failure = failure().with(Served(number)).with(ServesMoreInTurn);
        Verdict::new(check, Status::Failed(failure))
    };
    let (apart, many) = ("keeps_clients_apart", "holds_many_clients");
    check(&[served(apart, 8), served(many, 8)], &["few_clients"]);
    check(&[served(apart, 8), served(many, 31)], &[]);
    check(&[failed(many, [Served(8)])], &[]);
}

#[test]
fn a_trimmed_word_is_not_obeyed() {
    check(
        &[failed("obeys_no_words", [answer(b"\n", b""), answer(b"q\n", b"q")])],
        &["trims_whitespace"],
    );
    check(&[failed("obeys_no_words", [answer(b"q", b"")])], &["obeys_words"]);
}

#[test]
fn a_server_may_trim_and_stop_at_nul_and_obey() {
    let clues = [answer(b"quit", b""), answer(b"q\n", b"q"), answer(b"trailing\0", b"trailing")];
    check(&[failed("obeys_no_words", clues)], &["stops_at_nul", "trims_whitespace", "obeys_words"]);
}

#[test]
fn only_what_begins_with_0x80_shows_that_bytes_are_taken_for_text() {
    let first: Vec<u8> = (0x80..0x90).collect();
    let last: Vec<u8> = (0xf0..=0xff).collect();
    check(
        &[failed("echoes_every_byte_value", [answer(&first, b""), answer(&last, b"")])],
        &["text_only"],
    );
    check(&[failed("echoes_every_byte_value", [answer(&last, b"")])], &[]);
    check(
        &[failed("echoes_every_byte_value", [answer(b"0123456789", b""), answer(&first, b"")])],
        &[],
    );
}

#[test]
fn a_first_reply_before_the_end_is_one_read_or_a_short_one() {
    let silent = |long: [(usize, usize, bool); 2]| {
        let end = Some(Ending::EndOfStream);
        let verdict = wrong_bytes("echoes_message_after_message", b"second", b"", end);
        let failure = verdict.failure().cloned().unwrap_or_default().with(FailedAt(2));
        let long = long.map(|(sent, came, closed)| LongMessage {
            sent,
            came,
            closed,
            goes_on: !closed && came == sent,
            buffer: None,
        });
        let failure = long.into_iter().fold(failure, Failure::with);
        Verdict::new(verdict.check, Status::Failed(failure))
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
    let never = |status| NeverListened { status, is_shown: true };
    check(&[failed("echoes_short_message", [never(None)])], &["never_listens"]);
    #[cfg(unix)]
    {
        let panicked: std::process::ExitStatus =
            std::os::unix::process::ExitStatusExt::from_raw(101 << 8);
        check(&[failed("echoes_short_message", [never(Some(panicked))])], &[]);
    }
}

#[test]
fn a_server_that_did_not_even_start_has_not_died_of_its_clients() {
    for (check, name) in
        [("survives_empty_connection", "dies_on_empty"), ("survives_reset", "dies_on_reset")]
    {
        let ended = |facts: Option<NeverListened>| {
            let ended = Some("exit status 1".to_owned());
            Verdict { ended, ..failed(check, facts) }
        };
        self::check(&[ended(None)], &[name]);
        self::check(&[ended(Some(NeverListened { status: None, is_shown: false }))], &[]);
    }
}
