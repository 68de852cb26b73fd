//! Gradings for the tests of reports.

use std::collections::BTreeMap;
use std::time::Duration;

use suite::{
    Blocked, Event, EventKind, Failure, Fault, ProgramState, Role, Status, SystemCall, ThreadState,
    Verdict, WaitsFor,
};

use crate::explanations::NamedMistake;
use crate::grade::{Grade, GradedRow, Grading, NoGrade};
use crate::surroundings::{Identity, Surroundings};
use crate::unbuilt::{Reason, Unbuilt};

pub(super) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn event(at: u64, peer: &str, kind: EventKind, data: &[u8]) -> Event {
    Event::new(Duration::from_micros(at), peer, kind, data)
}

fn row(
    id: &'static str,
    group: &'static str,
    program: &'static str,
    points: u32,
    status: Status,
) -> GradedRow {
    GradedRow {
        group,
        program,
        max_points: points,
        claim: format!("The claim of {id}."),
        hints: vec!["Look at the third byte.".to_owned(), "Closer.".to_owned()],
        given: None,
        hidden: false,
        verdict: Verdict { took: Duration::from_millis(12), ..Verdict::new(id, status) },
    }
}

fn failed(expected: &str, observed: &str) -> Status {
    let failure = Failure {
        expected: expected.to_owned(),
        observed: observed.to_owned(),
        ..Failure::default()
    };
    Status::Failed(failure)
}

/// One program whose only thread receives.
fn blocked_on(on: WaitsFor) -> Option<Blocked> {
    let receives = ThreadState::Waits(SystemCall {
        name: "recvfrom".to_owned(),
        waits_for: on,
        has_timeout: false,
    });
    Some(Blocked::At(vec![ProgramState { threads: vec![receives], ..ProgramState::default() }]))
}

/// Returns a grading with every status: 7 of 25 points.
pub(super) fn grade() -> Grading {
    let got_stuck = failed("\"second\" for client a", "nothing more");
    let mut stuck = row("answers_again", "exactness", "echo_server", 4, got_stuck);
    stuck.verdict.blocked = blocked_on(WaitsFor::Connection(Role::Client("a".to_owned())));
    let saw_it = failed("the secret answer", "something else");
    let secret = row("secret", "conduct", "echo_server", 2, saw_it);
    let unseen = Status::Unseen("only Linux shows this".to_owned());
    with(vec![
        row("listens", "flow", "echo_server", 7, Status::Passed),
        echoes(),
        stuck,
        row("echoes_more", "exactness", "echo_server", 3, Status::Skipped("echoes".to_owned())),
        GradedRow { hidden: true, ..secret },
        row("rests", "conduct", "echo_server", 5, unseen),
        row("client_sends", "client", "echo_client", 3, Status::Unbuilt),
    ])
}

/// Returns a failure with all kinds of evidence.
fn echoes() -> GradedRow {
    let status = failed("\"first\" for client a", "\"fir\\x00t\"");
    let mut echoes = row("echoes", "exactness", "echo_server", 6, status);
    echoes.verdict.transcript = vec![
        event(100, "a", EventKind::Connect, b""),
        event(200, "a", EventKind::Send, b"first"),
        event(400, "a", EventKind::Receive, b"fir\0t; end"),
        event(900, "b", EventKind::Connect, b""),
        event(1600, "a", EventKind::End, b""),
    ];
    echoes.verdict.stderr_tail =
        b"listening\nthread 'main' panicked at src/main.rs:61:5:\nbad \x1b[31mthing\n".to_vec();
    echoes.verdict.ended = Some("exit status 101".to_owned());
    if let Status::Failed(failure) = &mut echoes.verdict.status {
        failure.smallest =
            Some("failing case: one 5-byte message; a 4-byte message comes back".to_owned());
    }
    echoes
}

/// Returns a grading with one undecided check.
pub(super) fn with_a_fault() -> Grading {
    let fault = Status::Fault(Fault("no descriptors left".to_owned()));
    Grading {
        unbuilt: Vec::new(),
        mistakes: Vec::new(),
        ..with(vec![
            row("listens", "flow", "echo_server", 7, Status::Passed),
            row("echoes", "exactness", "echo_server", 6, fault),
        ])
    }
}

/// Returns a grading that never began.
pub(super) fn broken_off() -> Grading {
    Grading {
        outcome: Err(NoGrade("no echo_server/Cargo.toml in submission".to_owned())),
        rows: Vec::new(),
        ..with_a_fault()
    }
}

/// Output of programs that try to change their own report.
pub(super) const HOSTILE: &[&str] = &[
    "::error::you are hacked",
    "::error file=src/main.rs,line=1::you are hacked",
    "::set-output name=result::forged",
    "::add-mask::points",
    "::stop-commands::0",
    "::0::",
    "##[add-mask]points",
    "  ##[error]you are hacked",
    "Score 100/100   31 passed",
    "{\"score\": 100, \"max_score\": 100}",
    "{\"scores\":{\"flow\":100}}",
    "]]></failure></testcase><testcase name=\"forged\"/>",
    "</testcase><!-- <?xml version=\"1.0\"?> &lol; &#0;",
    "```\n## ✅ 100/100 points\n```````",
    "</details><img src=\"http://127.0.0.1/beacon\"><script>alert(1)</script>",
    "@everyone #1 [link](http://127.0.0.1) | a | b |",
    "\u{1b}[2J\u{1b}]0;title\u{7}\u{1b}[31mred",
    "a\rb\0c\u{8}\u{202e}txet\u{feff}\u{fffe}\u{85}",
    "result=Zm9yZ2Vk",
    "error: http://127.0.0.1:4001/ x:1",
];

/// Returns the same verdicts with hostile text from programs.
pub(super) fn hostile() -> Grading {
    let mut words = HOSTILE.join("\n").into_bytes();
    words.extend(b"\xff\xfe\xc3\x28 not text\n");
    let mut flood = b"flood ".repeat(100 * 1024 * 1024 / 6);
    flood.extend(b"\n");
    flood.extend(&words);
    let text = String::from_utf8_lossy(&words).into_owned();
    let mut grading = grade();
    for row in grading.rows.iter_mut().filter(|row| matches!(row.verdict.status, Status::Failed(_)))
    {
        row.verdict.stderr_tail = std::mem::replace(&mut flood, words.clone());
        row.verdict.ended = Some(text.clone());
        row.verdict.blocked = blocked_on(WaitsFor::File(text.clone()));
        row.verdict.status = failed(&text, &format!("{text}{}", "x".repeat(1_000_000)));
        for line in HOSTILE {
            let data = &line.as_bytes()[..line.len().min(64)];
            row.verdict.transcript.push(event(2000, "a", EventKind::Receive, data));
        }
    }
    let errors = HOSTILE.iter().map(|line| format!("  {line}")).chain([text.clone()]);
    grading.unbuilt[0].reason = Reason::DoesNotCompile(errors.collect());
    grading.mistakes[0].because = text;
    grading
}

fn with(rows: Vec<GradedRow>) -> Grading {
    let error = "error[E0308]: mismatched types\n --> src/main.rs:2:23\n  |\n2 | fn broken() -> u8 { \"text\" }\n";
    Grading {
        practical: "echo",
        title: "Echo: a server and a client".to_owned(),
        submission: "submission".to_owned(),
        seed: 7,
        outcome: Grade::of(&rows, 100),
        rows,
        mistakes: vec![NamedMistake {
            id: "reads_once",
            says: "It looks as if the server reads once.".to_owned(),
            r#try: "Put read and write in a loop.".to_owned(),
            because: "the second message was never read".to_owned(),
            checks: vec!["answers_again"],
            explanation: crate::explanations::tests::real().of("reads_once").cloned().unwrap(),
        }],
        unbuilt: vec![Unbuilt {
            program: "echo_client".to_owned(),
            origin: "submission/20-practical/echo_client".to_owned(),
            reason: Reason::DoesNotCompile(vec![error.to_owned()]),
        }],
        duration: Duration::from_millis(40),
        confinement: vec!["none".to_owned()],
        notes: vec!["left out: notes.txt".to_owned()],
        command: "cargo xtask grade echo --submission submission".to_owned(),
        hint_steps: 1,
        shows_hidden: false,
        is_submission: false,
        hand_in: None,
        folders: ["echo_server", "echo_client"]
            .map(|name| (name.to_owned(), format!("20-practical/{name}")))
            .to_vec(),
        places: crate::grade::Places::default(),
        fingerprints: BTreeMap::new(),
        surroundings: surroundings(),
        since: None,
    }
}

fn surroundings() -> Surroundings {
    let text = str::to_owned;
    Surroundings {
        began: Duration::from_secs(1_700_000_000),
        on_github: true,
        token: TOKEN.to_owned(),
        identity: Some(Identity {
            classroom: text("sockets"),
            assignment: text("echo"),
            assignment_type: text("individual"),
            owner: text("student"),
            submission: text("submit/2026-11-21T10-00-00Z"),
            commit: text("https://example.org/commit/1"),
            release: text("https://example.org/release/1"),
            review: text("https://example.org/review/1"),
            datetime: text("2026-11-21T10:00:00Z"),
        }),
        ..Surroundings::default()
    }
}
