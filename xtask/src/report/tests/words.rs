//! No character that a reader cannot see reaches a report, the terminal or an error line, wherever
//! the text comes from.

use std::path::PathBuf;

use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
use pcap_file::pcapng::blocks::section_header::SectionHeaderOption;
use pcap_file::pcapng::{Block, PcapNgReader};
use suite::{Event, EventKind, Failure, Fault, Status, Verdict};

use super::{decoded, github, json, render, sample, texts};
use crate::grade::{Grading, NoGrade};
use crate::mutations::Inputs;
use crate::report::{human, pcapng, screen};
use crate::terminal;
use crate::unbuilt::{Reason, Unbuilt};
use crate::visible::tests::{UNSEEN, unseen};

/// The most unseen characters in one text: reports cut longer lines.
const STRETCH: usize = 400;

/// Reports are tried with every 131st private character.
const SAMPLED: usize = 131;

/// Bytes that are no text: half characters, lone surrogates, and each byte above ASCII.
fn no_text() -> Vec<u8> {
    let mut bytes = b"\xed\xa0\x80 \xed\xbf\xbf \xf4\x90\x80\x80 \xc0\x80 \xe2\x80 ".to_vec();
    (0x80..=0xff_u8).for_each(|byte| bytes.extend([byte, b' ']));
    bytes
}

/// Returns the characters that no report may show, in stretches.
fn stretches() -> Vec<String> {
    let ends = UNSEEN.into_iter().flat_map(|(first, last)| [first, last]);
    let is_private = |c: &char| matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{e0200}'..);
    let (private, others): (Vec<char>, Vec<char>) = unseen().partition(is_private);
    let private = private.into_iter().step_by(SAMPLED);
    let all: Vec<char> =
        others.into_iter().chain(ends.filter_map(char::from_u32)).chain(private).collect();
    all.chunks(STRETCH).map(|stretch| stretch.iter().collect()).collect()
}

/// Puts a text wherever a grading holds text from outside.
fn everywhere(word: &str, tail: &[u8]) -> Grading {
    let mut grading = sample::grade();
    let said = || word.to_owned();
    grading.title = said();
    grading.submission = said();
    grading.command = format!("cargo xtask grade echo --submission {word}");
    grading.notes = vec![format!("left out: {word}")];
    grading.confinement = vec![said()];
    if let Some(identity) = &mut grading.surroundings.identity {
        (identity.owner, identity.submission, identity.commit) = (said(), said(), said());
    }
    grading.mistakes[0].because = said();
    grading.unbuilt[0].origin = said();
    grading.unbuilt[0].reason = Reason::DoesNotCompile(vec![said(), format!(" --> {word}:1:2")]);
    grading.folders.iter_mut().for_each(|(_, folder)| *folder = said());
    for row in &mut grading.rows {
        row.hints[0] = said();
        row.given = Some(said());
        hostile(&mut row.verdict, word, tail);
    }
    grading
}

fn hostile(verdict: &mut Verdict, word: &str, tail: &[u8]) {
    match &mut verdict.status {
        Status::Failed(failure) => {
            let said = word.to_owned();
            *failure =
                Failure { expected: said.clone(), observed: said.clone(), ..Failure::default() };
            failure.smallest = Some(said.clone());
            verdict.ended = Some(said);
            verdict.stderr_tail = tail.to_owned();
            let data = word.as_bytes();
            let came = Event::new(std::time::Duration::ZERO, "a", EventKind::Receive, data);
            verdict.transcript.push(came);
        }
        Status::Skipped(why) | Status::Unseen(why) => word.clone_into(why),
        Status::Passed | Status::Unbuilt | Status::Fault(_) => {}
    }
}

/// Returns gradings that hold a text everywhere: one with a grade, and two without.
fn gradings(word: &str, tail: &[u8]) -> [Grading; 3] {
    let mut faulty = sample::with_a_fault();
    faulty.rows[1].verdict.status = Status::Fault(Fault(word.to_owned()));
    let [faulty, broken_off] = [faulty, sample::broken_off()].map(|grading| Grading {
        outcome: Err(NoGrade(word.to_owned())),
        command: word.to_owned(),
        title: word.to_owned(),
        ..grading
    });
    [everywhere(word, tail), faulty, broken_off]
}

#[track_caller]
fn check(name: &str, text: &str, word: &str) {
    let is_unseen = |c: char| {
        !matches!(c, '\n' | '\t') && (c.is_control() || !c.is_ascii() && word.contains(c))
    };
    if let Some(c) = text.chars().find(|c| is_unseen(*c)) {
        let at = text.find(c).unwrap();
        let around: String = text[..at].chars().rev().take(60).collect();
        panic!(
            "{name} shows U+{:04X} after {:?}",
            u32::from(c),
            around.chars().rev().collect::<String>()
        );
    }
}

fn check_all(grading: &Grading, word: &str) {
    for (name, render) in texts() {
        let text = render(grading);
        check(name, &text, word);
        let inner = (name == "github-classroom").then(|| decoded(&text, "result")).flatten();
        check(name, &inner.unwrap_or_default(), word);
    }
    check("summary", &github::summary(grading), word);
    for render in [human::render, screen::render] {
        let shown = anstream::adapter::strip_str(&render(grading)).to_string();
        check("the terminal", &shown, word);
    }
    comments(&pcapng::render(grading)).iter().for_each(|said| check("pcapng", said, word));
}

/// Returns the words of a capture: its comments, and the names and descriptions of its interfaces.
fn comments(file: &[u8]) -> Vec<String> {
    let mut reader = PcapNgReader::new(file).unwrap();
    let mut said = Vec::new();
    for option in &reader.section().options {
        if let SectionHeaderOption::Comment(text) = option {
            said.push(text.to_string());
        }
    }
    while let Some(block) = reader.next_block() {
        match block.unwrap() {
            Block::InterfaceDescription(interface) => {
                said.extend(interface.options.iter().filter_map(description));
            }
            Block::EnhancedPacket(packet) => said.extend(packet.options.iter().filter_map(comment)),
            _ => {}
        }
    }
    assert!(!said.is_empty());
    said
}

fn description(option: &InterfaceDescriptionOption<'_>) -> Option<String> {
    match option {
        InterfaceDescriptionOption::IfDescription(text) => Some(text.to_string()),
        _ => None,
    }
}

fn comment(option: &EnhancedPacketOption<'_>) -> Option<String> {
    match option {
        EnhancedPacketOption::Comment(text) => Some(text.to_string()),
        _ => None,
    }
}

#[test]
fn no_report_shows_what_a_reader_cannot_see() {
    let stretches = stretches();
    assert!(stretches.len() >= 5, "{}", stretches.len());
    for stretch in &stretches {
        let word: String = stretch.chars().flat_map(|c| [c, 'x']).collect();
        for grading in gradings(&word, word.as_bytes()) {
            check_all(&grading, &word);
        }
    }
    for grading in gradings("\u{fffd}", &no_text()) {
        check_all(&grading, "");
    }
}

#[test]
fn json_keeps_every_character_as_an_escape() {
    for word in stretches() {
        let report = render("json", &everywhere(&word, word.as_bytes()));
        assert_eq!(json(&report)["submission"], word.as_str());
    }
    let report = render("json", &everywhere("a\u{202e}b", b""));
    assert!(report.contains("\"submission\": \"a\\u202eb\""), "{report}");
}

/// Whatever a program and a compiler print, every report can be written.
#[test]
fn bad_output_is_no_panic() {
    let right: [&[u8]; 4] = [
        b"Traceback (most recent call last):\n  File \"/s/a.py\", line 6, in <module>\n    x\nE: no\n",
        b"thread 'main' panicked at src/main.rs:61:5:\nbad\nnote: run with `RUST_BACKTRACE=1`\n",
        b"\x1b[1m\x1b[91merror[E0308]\x1b[0m: no\n \x1b[94m-->\x1b[0m src/main.rs:2:23\n2 | x\n",
        b"/s/a.js:3\nx();\n^\n\nE is not\nReferenceError: x\n    at f (/s/a.js:3:1)\n\nNode.js v18.1.1\n",
    ];
    let words = ["\x1b[", "panicked at ", "--> ", "  File \"", "panic: ", ":99999999999:", "```"];
    let inputs = Inputs { right: &right, words: &words, one_in: 100 };
    inputs.check("output", |input| {
        let text = String::from_utf8_lossy(input);
        let grading = everywhere("word", input);
        let reason = Reason::DoesNotCompile(vec![text.into_owned()]);
        let unbuilt = Unbuilt { reason, ..grading.unbuilt[0].clone() };
        check_all(&Grading { unbuilt: vec![unbuilt], ..grading }, "");
        Ok(())
    });
}

/// A name with line ends adds no line to the report, and a name with styles adds no style.
#[test]
fn no_name_writes_lines_or_styles_of_the_report() {
    for render in [human::render, screen::render] {
        let built = |word: &str| {
            let built = Grading { unbuilt: Vec::new(), ..everywhere(word, word.as_bytes()) };
            render(&built)
        };
        let plain = built("word");
        let hostile = built("word\n✓ passed\r\n::error::no\x1b[32mword");
        let mut lines = hostile.lines().map(str::trim_start);
        assert!(!lines.any(|line| line.starts_with("✓ passed\\r")), "{hostile}");
        assert_eq!(hostile.matches("\x1b[32m").count(), plain.matches("\x1b[32m").count());
    }
}

#[test]
fn an_error_is_one_line_without_unseen_characters() {
    for word in stretches() {
        let place = PathBuf::from(&word);
        let error = anyhow::anyhow!("{}", place.display()).context(word.clone());
        let said = crate::visible::error(&error);
        check("an error", &said, &word);
        assert_eq!(said.lines().count(), 1);
        check("a wrapped line", &terminal::wrap(&said, 4), &word);
    }
}
