//! No program writes into its own report.

use quick_xml::Reader;
use quick_xml::events::Event as Xml;
use serde_json::Value;

use super::read_back::{json, read_back};
use super::runner::obeyed;
use super::{render, texts};
use crate::grade::GradedRow;
use crate::report::github;
use crate::report::sample::{self, HOSTILE, TOKEN};

#[test]
fn the_runner_obeys_nothing_that_a_program_printed() {
    let unarmed = obeyed(&HOSTILE.join("\n").replace("::stop-commands::0", ""));
    assert!(unarmed.len() > 5, "the model of the runner finds nothing to obey: {unarmed:?}");

    let commands = obeyed(&render("github", &sample::hostile()));
    assert!(
        commands.iter().all(|command| ["error", "notice"].contains(&command.name.as_str())),
        "{commands:#?}"
    );
    let titles: Vec<_> =
        commands.iter().map(|command| command.property("title").unwrap()).collect();
    let right = obeyed(&render("github", &sample::grade()));
    let expected: Vec<_> = right.iter().map(|command| command.property("title").unwrap()).collect();
    assert_eq!(titles, expected);
    let log = github::disarmed("::error::x\r::add-mask::y\n##[error]z", TOKEN);
    assert_eq!(obeyed(&log), []);
    assert!(!github::disarmed("::error::x", "").contains("error::"));
}

#[test]
fn a_hostile_program_changes_no_score_and_no_shape() {
    let (plain, hostile) = (sample::grade(), sample::hostile());
    for (name, render) in texts() {
        let text = render(&hostile);
        assert_eq!(read_back(name, &text), Some((7, 25)), "{name}");
        assert!(text.len() < 400_000, "{name}: {} bytes", text.len());
        let forbidden = |c: char| {
            c.is_control() && c != '\n' && c != '\t' || "\u{202e}\u{feff}\u{fffe}".contains(c)
        };
        let shown = if name == "json" { json(&text)["score"].to_string() } else { text.clone() };
        assert_eq!(shown.chars().find(|c| forbidden(*c)), None, "{name}");
        if text.starts_with('{') {
            assert_eq!(shape(&json(&text), ""), shape(&json(&render(&plain)), ""), "{name}");
        }
    }
    assert_eq!(elements(&render("junit", &hostile)), elements(&render("junit", &plain)));
    assert_eq!(
        render("github-classroom", &hostile).lines().count(),
        render("github-classroom", &plain).lines().count()
    );
}

/// The keys of evidence.
const EVIDENCE: &[&str] = &["transcript", "blocked_in", "stderr_tail", "filePath", "line"];

/// Returns the structure of a report: keys and numbers, without texts and evidence.
fn shape(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(key, _)| !EVIDENCE.contains(&key.as_str()));
            members.map(|(key, value)| (key.clone(), shape(value, key))).collect()
        }
        Value::Array(values) => values.iter().map(|value| shape(value, key)).collect(),
        Value::String(word)
            if ["name", "id", "status", "visibility", "test-name"].contains(&key) =>
        {
            word.clone().into()
        }
        Value::String(_) => "".into(),
        other => other.clone(),
    }
}

fn elements(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let mut names = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Xml::Eof => return names,
            Xml::Start(element) | Xml::Empty(element) => {
                names.push(element.name().as_ref().to_owned());
            }
            _ => {}
        }
    }
}

#[test]
fn a_page_holds_nothing_that_runs_or_comes_from_elsewhere() {
    for grading in
        [sample::grade(), sample::hostile(), sample::with_a_fault(), sample::broken_off()]
    {
        let page = render("html", &grading);
        let page = page.replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
        let tags: Vec<&str> =
            page.split('<').skip(1).filter_map(|tag| tag.split('>').next()).collect();
        for word in ["script", "img", "link", "iframe", "base", "/details><", "!--"] {
            assert!(!tags.iter().any(|tag| tag.starts_with(word)), "{word}");
        }
        for tag in &tags {
            let handler =
                tag.split_whitespace().any(|word| word.starts_with("on") && word.contains('='));
            assert!(!handler && !tag.contains("://"), "{tag}");
        }
        assert_eq!(
            tags.iter().filter(|tag| tag.starts_with("details")).count(),
            page.matches("</details>").count()
        );
        assert!(page.contains("default-src 'none'"));
    }
}

/// Outside code blocks, a hostile Markdown report has the lines of any report.
#[test]
fn nothing_breaks_out_of_a_block_of_code() {
    for report in [render("markdown", &sample::hostile()), github::summary(&sample::hostile())] {
        let outside = outside_of_code(&report);
        for word in ["<script", "<img", "\n## ✅", "[link](", "@everyone", "#1"] {
            assert!(!outside.contains(word), "{word} in\n{outside}");
        }
        assert_eq!(outside.matches("<details").count(), 4);
        assert_eq!(outside.matches("</details>").count(), 4);
    }
}

fn outside_of_code(markdown: &str) -> String {
    let mut fence: Option<usize> = None;
    let mut outside = String::new();
    for line in markdown.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            None => outside += &format!("{line}\n"),
            Some(opened) if ticks >= opened && line.trim_end().len() == ticks => fence = None,
            Some(_) => {}
        }
    }
    assert_eq!(fence, None, "a block of code has no end");
    outside
}

#[test]
fn a_long_report_in_markdown_fits_and_says_what_it_leaves_out() {
    let mut grading = sample::hostile();
    for _ in 0..100 {
        let failed = &grading.rows[1];
        let verdict = suite::Verdict {
            stderr_tail: failed.verdict.stderr_tail[..100].to_vec(),
            ..verdict(failed)
        };
        let row =
            GradedRow { claim: String::new(), hints: Vec::new(), given: None, verdict, ..*failed };
        grading.rows.push(row);
    }
    let comment = render("markdown", &grading);
    assert!(
        comment.len() < 60_000 && comment.contains("are left out here"),
        "{} bytes",
        comment.len()
    );
    assert!(github::summary(&grading).len() < 1_000_000);
}

fn verdict(row: &GradedRow) -> suite::Verdict {
    suite::Verdict {
        transcript: row.verdict.transcript.clone(),
        ..suite::Verdict::new("echoes", row.verdict.status.clone())
    }
}
