use suite::EventKind;

use super::*;

fn events(steps: &[(&str, EventKind, &[u8])]) -> Vec<Event> {
    let numbered = (0..).zip(steps);
    numbered
        .map(|(at, (peer, kind, data))| Event::new(Duration::from_millis(at), peer, *kind, data))
        .collect()
}

fn is_echo(sent: &[u8], came: &[u8]) -> bool {
    sent == came
}

fn is_upper_case(sent: &[u8], came: &[u8]) -> bool {
    sent.to_ascii_uppercase() == came
}

#[track_caller]
fn check(steps: &[(&str, EventKind, &[u8])], shown: &[&str], expected: &[&str]) {
    check_with(&is_echo, steps, shown, expected);
}

#[track_caller]
fn check_with(
    is_answer: IsAnswer<'_>,
    steps: &[(&str, EventKind, &[u8])],
    shown: &[&str],
    expected: &[&str],
) {
    let events = events(steps);
    let lines = fold(&events, shown, is_answer);
    let said: Vec<String> = lines
        .iter()
        .map(|line| match line {
            Line::Step(event) => format!("{} {:?}", event.peer, event.kind),
            line => line.words(),
        })
        .collect();
    assert_eq!(said, expected);
    assert_eq!(
        lines.iter().map(Line::steps).sum::<usize>(),
        steps.len(),
        "every step is in one line"
    );
}

use EventKind::{Connect, End, Receive, Send};

#[test]
fn others_are_one_line() {
    check(
        &[
            ("a", Connect, b""),
            ("a", Send, b"x"),
            ("b", Connect, b""),
            ("a", Receive, b"x"),
            ("c", Connect, b""),
            ("d", Connect, b""),
            ("d", Send, b"abc"),
            ("c", End, b""),
        ],
        &["c"],
        &[
            "… 2 other clients, 1 of them answered",
            "c Connect",
            "… 1 other client, not yet answered in full",
            "c End",
        ],
    );
}

#[test]
fn messages_that_came_back_are_one_line_but_for_the_last() {
    check(
        &[
            ("a", Send, b"x"),
            ("a", Receive, b"x"),
            ("a", Send, b"yz"),
            ("a", Receive, b"yz"),
            ("a", Send, b"1"),
            ("a", Receive, b"1"),
            ("a", Send, b"2"),
            ("a", Receive, b"3"),
        ],
        &["a"],
        &[
            "… 2 messages of 1 to 2 bytes, all answered",
            "a Send",
            "a Receive",
            "a Send",
            "a Receive",
        ],
    );
}

#[test]
fn a_stream_both_ways_is_one_line_and_says_whether_it_is_equal() {
    let (first, other) = ([b'a'; 2048], [b'b'; 2048]);
    let mut steps = [("a", Send, first.as_slice()), ("a", Receive, &first[..1024])].repeat(4);
    check(
        &steps,
        &["a"],
        &["… 6 × 2 KiB at most: 6 KiB sent, 3 KiB back, all equal", "a Send", "a Receive"],
    );
    steps[3].2 = &other;
    check(&steps, &["a"], &["… 6 × 2 KiB at most: 6 KiB sent, 4 KiB back", "a Send", "a Receive"]);
}

/// The practical says what an answer is, and the same conversation folds as it says.
#[test]
fn another_practicals_answers_are_known_by_its_own_rule() {
    let turns = [("a", Send, b"x".as_slice()), ("a", Receive, b"X")].repeat(4);
    let folded = ["… 3 messages of 1 byte, all answered", "a Send", "a Receive"];
    check_with(&is_upper_case, &turns, &["a"], &folded);
    let as_stream = ["… 6 × 1 byte at most: 3 bytes sent, 3 bytes back", "a Send", "a Receive"];
    check_with(&is_echo, &turns, &["a"], &as_stream);

    let stream = [("a", Send, b"xyxy".as_slice()), ("a", Receive, b"XY")].repeat(4);
    let words = "… 6 × 4 bytes at most: 12 bytes sent, 6 bytes back";
    let answered = format!("{words}, all answered");
    check_with(&is_upper_case, &stream, &["a"], &[&answered, "a Send", "a Receive"]);
    check_with(&is_echo, &stream, &["a"], &[words, "a Send", "a Receive"]);

    let other = [("b", Send, b"x".as_slice()), ("b", Receive, b"X"), ("a", End, b"")];
    check_with(&is_upper_case, &other, &["a"], &["… 1 other connection, answered", "a End"]);
    check_with(&is_echo, &other, &["a"], &["… 1 other connection", "a End"]);
}

#[test]
fn a_failure_is_about_whom_it_names_and_what_came_later_is_left_out() {
    let transcript =
        events(&[("a", Connect, b""), ("b", Connect, b""), ("b", End, b""), ("c", Connect, b"")]);
    let about = |peer: Option<&str>| {
        let failure = suite::Failure { peer: peer.map(str::to_owned), ..suite::Failure::default() };
        Verdict {
            transcript: transcript.clone(),
            ..Verdict::new("a_check", Status::Failed(failure))
        }
    };
    for (named, peer, steps) in [(Some("b"), "b", 3), (None, "c", 4), (Some("nobody"), "c", 4)] {
        let verdict = about(named);
        let focus = focus(&verdict).unwrap();
        assert_eq!((focus.peer, focus.events.len()), (peer, steps));
    }
}

#[test]
fn anothers_bytes_are_known_again() {
    let transcript = events(&[
        ("a", Send, b"the message of a"),
        ("b", Send, b"the message of b"),
        ("a", Receive, b"the message of b"),
    ]);
    let difference = suite::Difference {
        at: 0,
        deviation: suite::Deviation::Changed,
        expected_length: 16,
        observed_length: 16,
        from: 0,
        expected: b"the message of a".to_vec(),
        observed: b"the message of b".to_vec(),
        ending: None,
    };
    let failure =
        suite::Failure { difference: Some(Box::new(difference)), ..suite::Failure::default() };
    let verdict = Verdict { transcript, ..Verdict::new("a_check", Status::Failed(failure)) };
    assert_eq!(focus(&verdict).unwrap().source, Some("b"));
}

#[test]
fn what_is_left_out_is_counted() {
    let events =
        events(&[("a", Connect, b""), ("a", Send, b"x"), ("b", Connect, b""), ("a", End, b"")]);
    let lines = end(fold(&events, &["a"], &is_echo), 3);
    assert_eq!(lines[0], Line::Earlier(2));
    assert_eq!(lines.len(), 3);
}
