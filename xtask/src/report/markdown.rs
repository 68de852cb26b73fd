//! The verdict in Markdown, for a comment on a pull request. Text from outside is in code blocks
//! that it cannot end.

use suite::Status;

use super::conversation::{self, Line};
use super::plain;
use super::steps::{self, Direction};
use crate::grade::{Grade, GradedRow, Grading, NoGrade, Points};

/// GitHub accepts comments of 65,536 characters.
const LONGEST_COMMENT: usize = 60_000;

/// The lines of a conversation that are drawn.
const STRETCH: usize = 12;

pub(super) fn render(grading: &Grading) -> String {
    document(grading, LONGEST_COMMENT)
}

/// Returns a document of at most `most` bytes. Sections that do not fit are counted.
pub(super) fn document(grading: &Grading, most: usize) -> String {
    match &grading.outcome {
        Ok(grade) => graded(grading, grade, most),
        Err(NoGrade(fault)) => no_grade(grading, fault),
    }
}

fn no_grade(grading: &Grading, fault: &str) -> String {
    let text = format!(
        "## {}: no grade\n\nThis costs no point. The grader could not find out:\n\n",
        plain(&grading.title)
    );
    text + &block("text", &plain::line(fault))
}

fn graded(grading: &Grading, grade: &Grade, most: usize) -> String {
    let head = head(grading, grade);
    let foot = foot(grading);
    let mut body = String::new();
    let mut left_out = 0;
    for section in sections(grading) {
        if head.len() + body.len() + section.len() + foot.len() + 200 > most {
            left_out += 1;
        } else {
            body += &section;
        }
    }
    if left_out > 0 {
        body +=
            &format!("{left_out} more are left out here: the whole report would be too long.\n\n");
    }
    head + &body + &foot
}

fn head(grading: &Grading, grade: &Grade) -> String {
    let mark = if grade.passed() { "✅" } else { "❌" };
    let mut text = format!("## {mark} {}: {} points\n\n", plain(&grading.title), grade.points);
    let mistakes = grading.mistakes_to_tell();
    for mistake in &mistakes {
        text += &format!("- **{}** {}\n", mistake.id, plain(&plain::mistake(mistake)));
    }
    text += if mistakes.is_empty() { "" } else { "\n" };
    text += "| group | points | passed |\n|---|---:|---:|\n";
    for (group, rows) in grading.groups() {
        let counted: Vec<&&GradedRow> = rows.iter().filter(|row| row.counts()).collect();
        let points = Points::of(rows.iter().copied());
        let passed = counted.iter().filter(|row| row.verdict.status == Status::Passed).count();
        text += &format!("| {group} | {points} | {passed}/{} |\n", counted.len());
    }
    text + "\n"
}

fn sections(grading: &Grading) -> Vec<String> {
    let errors = (!grading.unbuilt.is_empty()).then(|| {
        let programs: Vec<String> = grading.unbuilt.iter().map(plain::unbuilt).collect();
        let body = block("text", &plain::compile_errors(grading));
        unfolded(&programs.join("; "), &body, true)
    });
    let failed = grading.rows.iter().filter(|row| matches!(row.verdict.status, Status::Failed(_)));
    let checks = failed.enumerate().map(|(at, row)| check(grading, row, at == 0));
    errors.into_iter().chain(checks).collect()
}

fn check(grading: &Grading, row: &GradedRow, open: bool) -> String {
    let title = format!("✗ {} {}/{}", row.verdict.check, row.points(), row.max_points);
    let body = block("text", &plain::full_for_students(grading, row));
    let focus = conversation::focus(&row.verdict).filter(|_| !grading.hides(row));
    let diagram = focus.map_or_else(String::new, |focus| {
        block("mermaid", &diagram(row, &focus.end(STRETCH, &grading.is_answer())))
    });
    unfolded(&title, &(body + &diagram), open)
}

fn unfolded(title: &str, body: &str, open: bool) -> String {
    let open = if open { " open" } else { "" };
    format!("<details{open}><summary>{}</summary>\n\n{body}</details>\n\n", plain(title))
}

fn foot(grading: &Grading) -> String {
    let count = |wanted: fn(&Status) -> bool| {
        grading.rows.iter().filter(|row| wanted(&row.verdict.status)).count()
    };
    let mut text = String::new();
    let skipped = count(|status| matches!(status, Status::Skipped(_)));
    if skipped > 0 {
        text += &format!("Not run, because a check that they need did not pass: {skipped}.\n\n");
    }
    text += &block("sh", &format!("{} --seed {}", plain::line(&grading.command), grading.seed));
    text + &plain::premises(grading)
        .iter()
        .map(|line| plain(line) + "\n")
        .collect::<Vec<_>>()
        .join("\n")
}

/// Escapes text for Markdown and HTML.
fn plain(text: &str) -> String {
    let escaped = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '@' | '#' => format!("&#{};", u32::from(c)), // nobody is called, no issue is mentioned
        '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '!' => format!("\\{c}"),
        c => c.to_string(),
    };
    let text: String = plain::line(text).chars().map(escaped).collect();
    text.replace("://", "&#58;//") // nothing is linked
}

/// Returns a code block whose fence is longer than any in its text.
fn block(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}{language}\n{}\n{fence}\n\n", text.trim_end())
}

/// Returns the end of a conversation as a Mermaid sequence diagram.
fn diagram(row: &GradedRow, lines: &[Line<'_>]) -> String {
    let mut peers: Vec<&str> = lines.iter().filter_map(peer).collect();
    peers.sort_unstable();
    peers.dedup();
    let mut text = "sequenceDiagram\n".to_owned();
    for (at, peer) in peers.iter().enumerate() {
        text += &format!("    participant p{at} as {}\n", drawn(peer));
    }
    text += &format!("    participant program as {}\n", drawn(row.program));
    for line in lines {
        let at = peer(line).and_then(|name| peers.iter().position(|peer| *peer == name));
        text += &statement(line, at);
    }
    text
}

/// Returns a line as a statement of Mermaid; `at` is the number of its peer.
fn statement(line: &Line<'_>, at: Option<usize>) -> String {
    match (line, at) {
        (Line::Step(event), Some(at)) => {
            let words = drawn(&plain::event_words(event));
            match steps::of(event).direction {
                Direction::ToProgram => format!("    p{at}->>program: {words}\n"),
                Direction::FromProgram => format!("    program-->>p{at}: {words}\n"),
            }
        }
        (_, Some(at)) => format!("    Note over p{at},program: {}\n", drawn(&line.words())),
        (_, None) => format!("    Note over program: {}\n", drawn(&line.words())),
    }
}

/// Returns the peer that a line belongs to.
fn peer<'a>(line: &Line<'a>) -> Option<&'a str> {
    match line {
        Line::Step(event) => Some(&event.peer),
        Line::Answered { peer, .. } | Line::Streamed { peer, .. } => Some(peer),
        Line::Earlier(_) | Line::Others { .. } => None,
    }
}

/// Escapes text for Mermaid.
fn drawn(text: &str) -> String {
    let escaped = |c: char| match c {
        c if c.is_ascii_alphanumeric() || " _,.".contains(c) => c.to_string(),
        c => format!("#{};", u32::from(c)),
    };
    text.chars().map(escaped).collect()
}
