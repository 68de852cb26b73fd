use suite::{Blocked, Event, EventKind, Fault};

use super::*;
use crate::report::real;

fn event(at: u64, kind: EventKind, data: &[u8]) -> Event {
    Event::new(Duration::from_micros(at), "a", kind, data)
}

fn row(id: &'static str, group: &'static str, status: Status) -> GradedRow {
    let transcript = match status {
        Status::Failed(_) => vec![
            event(100, EventKind::Connect, b""),
            event(200, EventKind::Send, b"first"),
            event(400, EventKind::Receive, b"fir\0t"),
            event(1600, EventKind::End, b""),
        ],
        _ => Vec::new(),
    };
    let stderr_tail = b"listening\nbad \x1b[31mthing\n".to_vec();
    let verdict = Verdict {
        transcript,
        stderr_tail,
        ended: Some("exit status 101".to_owned()),
        ..Verdict::new(id, status)
    };
    let hints = vec!["Look at the third byte.".to_owned(), "Closer.".to_owned()];
    GradedRow {
        group,
        program: "echo_server",
        max_points: 6,
        claim: "It echoes.".to_owned(),
        hints,
        given: None,
        hidden: false,
        verdict,
    }
}

fn grading(rows: Vec<GradedRow>) -> Grading {
    real::of(rows)
}

fn failure() -> Status {
    Status::Failed(Failure {
        expected: "\"first\" for client a".to_owned(),
        observed: "\"fir\\x00t\"".to_owned(),
        smallest_failing_input: Some(5),
        ..Failure::default()
    })
}

#[track_caller]
fn check(rows: Vec<GradedRow>, expected: &str) {
    let text = anstream::adapter::strip_str(&render(&grading(rows))).to_string();
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_report_reads_like_this() {
    check(
        vec![
            row("listens", "flow", Status::Passed),
            row("echoes", "exactness", failure()),
            row("echoes_more", "exactness", Status::Skipped("echoes".to_owned())),
            row("rests", "conduct", Status::Unseen("only Linux shows this".to_owned())),
        ],
        include_str!("../human_snapshot.txt"),
    );
}

#[test]
fn a_fault_is_no_verdict_and_costs_nothing() {
    let grading = grading(vec![
        row("listens", "flow", Status::Passed),
        row("echoes", "exactness", Status::Fault(Fault("no descriptors left".to_owned()))),
    ]);
    assert_eq!(Points::of(&grading.rows), Points { earned: 6, most: 6 });
    assert!(grading.outcome.is_err() && !grading.passed());
    assert!(
        render(&grading)
            .contains("The grader could not find out: no descriptors left. This costs no point.")
    );
}

#[test]
fn a_system_that_does_not_show_where_a_program_was_stuck_says_so_once() {
    let unseen = |id| {
        let row = row(id, "exactness", failure());
        let blocked = Some(Blocked::CannotSee);
        GradedRow { verdict: Verdict { blocked, ..row.verdict }, ..row }
    };
    let text = render(&grading(vec![unseen("echoes"), unseen("echoes_more")]));
    assert_eq!(
        text.matches("This report cannot show where a program was stuck").count(),
        1,
        "{text}"
    );
}

#[test]
fn nothing_checked_is_a_fault() {
    let rests = row("rests", "conduct", Status::Unseen("not here".to_owned()));
    assert!(grading(Vec::new()).outcome.is_err() && grading(vec![rests]).outcome.is_err());
}
