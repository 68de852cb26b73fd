use std::time::Duration;

use suite::{Event, EventKind, Failure};

use super::*;
use crate::report::real;

fn verdict(events: &[(&str, EventKind, &[u8])]) -> Verdict {
    let failure = Failure {
        expected: "a <b>".to_owned(),
        observed: "\u{1b}[31m & nothing".to_owned(),
        ..Failure::default()
    };
    let numbered = (0..).zip(events);
    let transcript = numbered
        .map(|(at, (peer, kind, data))| Event::new(Duration::from_millis(at), peer, *kind, data));
    Verdict { transcript: transcript.collect(), ..Verdict::new("a_check", Status::Failed(failure)) }
}

fn is_echo(sent: &[u8], came: &[u8]) -> bool {
    sent == came
}

#[test]
fn what_is_drawn_is_also_said() {
    let verdict = verdict(&[
        ("a", EventKind::Connect, b""),
        ("a", EventKind::Send, b"one\0"),
        ("a", EventKind::Receive, b"o"),
        ("a", EventKind::HalfClose, b""),
        ("a", EventKind::End, b""),
        ("b", EventKind::Refused, b""),
    ]);
    assert_eq!(
        text(&verdict, &is_echo),
        "\
0.0 ms: client a connects.
1.0 ms: client a sends 4 bytes: \"one\\x00\"
2.0 ms: your server sends client a 1 byte: \"o\"
3.0 ms: client a ends its stream and goes on reading.
4.0 ms: your server ends its stream to client a.
5.0 ms: client b tries to connect and is refused.
Expected: a <b>
Got: \\u{1b}[31m & nothing
"
    );
}

#[test]
fn a_diagram_is_clean_xml_and_refers_to_nothing_outside() {
    let verdict = verdict(&[
        ("a", EventKind::Connect, b""),
        ("a", EventKind::Receive, b"<&\x1b\0\xff]]>"),
        ("a", EventKind::Reset, b""),
    ]);
    let svg = svg(&verdict, &is_echo);
    assert!(svg.chars().all(|character| character == '\n' || !character.is_control()), "{svg}");
    assert!(
        svg.contains("a &lt;b&gt;") && svg.contains("role=\"img\"") && svg.contains("<title id=")
    );
    let links = svg.matches("http").count();
    assert_eq!(links, 1, "only the name space");
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
}

#[test]
fn without_a_conversation_there_is_no_picture() {
    let verdict = verdict(&[]);
    let both = (svg(&verdict, &is_echo), text(&verdict, &is_echo));
    assert_eq!(both, (String::new(), String::new()));
}

#[test]
fn hundreds_of_clients_fit_a_screen() {
    let names: Vec<String> = (0..500).map(|number| format!("p{number}")).collect();
    let events: Vec<(&str, EventKind, &[u8])> = names
        .iter()
        .flat_map(|name| {
            [(name.as_str(), EventKind::Connect, b"".as_slice()), (name, EventKind::Send, b"x")]
        })
        .collect();
    let svg = svg(&verdict(&events), &is_echo);
    let width: f64 = svg
        .split("width=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap()
        .parse()
        .unwrap();
    assert!(width <= WIDTH);
    assert!(svg.contains("497 more"), "{svg}");
}

/// Left in target/diagrams, to be looked at.
#[test]
fn real_conversations_are_drawn() {
    let folder = real::target().join("diagrams");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, program, check) in [
        ("reads_once", "echo_server", "echoes_message_after_message"),
        ("mixes_clients", "echo_server", "keeps_clients_apart"),
        ("few_clients", "echo_server", "holds_many_clients"),
        ("partial_write", "echo_server", "outlasts_slow_reader"),
        ("dies_on_reset", "echo_server", "survives_reset"),
        ("one_client_ever", "echo_server", "serves_next_client"),
        ("drops_after_buffer", "echo_server", "echoes_every_size"),
        ("client_waits_for_end", "echo_client", "client_closes"),
        ("client_stops_at_short_read", "echo_client", "client_gathers_reply"),
    ] {
        let Some(grading) = real::grade(name, program, &[check]) else { return };
        let verdict = &grading.rows[0].verdict;
        assert!(matches!(verdict.status, Status::Failed(_)), "{name}: {:?}", verdict.status);
        let drawn = svg(verdict, &is_echo);
        assert!(drawn.contains("Here the check fails"), "{name}");
        std::fs::write(folder.join(format!("{name}.svg")), drawn).unwrap();
        std::fs::write(folder.join(format!("{name}.txt")), text(verdict, &is_echo)).unwrap();
    }
}
