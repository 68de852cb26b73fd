//! The whole report for people, readable without colour and by a screen reader, with a word for
//! every state.

#[cfg(test)]
mod tests;

use std::time::Duration;

use anstyle::Style;
use suite::{Event, Failure, Status, Verdict};

use crate::columns;
use crate::explanations::NamedMistake;
use crate::grade::{GradedRow, Grading, Next, Points};
use crate::plural::count;
use crate::report::conversation::{self, Line};
use crate::report::steps::{self, Step};
use crate::report::{hexdump, plain, preview, said, stuck};
use crate::terminal::{self, BOLD, DIM, GREEN, RED, YELLOW, width};
use crate::unbuilt::Unbuilt;

/// The lines of a conversation that are shown for a failure.
const STRETCH: usize = 8;

/// How many compiler errors are shown in full.
const COMPILE_ERRORS: usize = 3;

/// How many lines of a program's standard error are shown.
const STDERR_LINES: usize = 6;

/// The indentation of evidence.
const INDENT: usize = 6;

/// Returns the whole report.
pub(crate) fn render(grading: &Grading) -> String {
    let mut text = format!(
        "{}\n",
        spread(&paint(BOLD, &plain::line(&grading.title)), &format!("seed {}", grading.seed))
    );
    for program in &grading.unbuilt {
        text += &unbuilt(program);
    }
    for mistake in &grading.mistakes_to_tell() {
        text += &named(mistake);
    }
    for (group, rows) in grading.groups() {
        let points = Points::of(rows.iter().copied()).to_string();
        text += &format!("\n{}\n", spread(&paint(BOLD, group), &points));
        for row in rows {
            text += &check(grading, row);
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text + &summary(grading)
}

/// Wraps text without styles, in which every character is then visible.
pub(super) fn wrap(text: &str, indent: usize) -> String {
    terminal::wrap(&plain::clean(text), indent)
}

/// Styles a line, without its line end.
pub(super) fn paint(style: Style, text: &str) -> String {
    let line = text.trim_end_matches('\n');
    format!("{style}{line}{style:#}{}", &text[line.len()..])
}

/// Puts text at the left and at the right edge.
pub(crate) fn spread(left: &str, right: &str) -> String {
    let space = width().saturating_sub(columns::of(left) + columns::of(right)).max(1);
    format!("{left}{}{right}", " ".repeat(space))
}

/// Returns one root cause.
pub(crate) fn named(mistake: &NamedMistake) -> String {
    let explains = format!("explains {}", count(mistake.checks.len(), "failed check"));
    let mut text =
        format!("\n{}\n", spread(&paint(RED, &format!("mistake {}", mistake.id)), &explains));
    text += &wrap(&mistake.says, INDENT);
    text += &labelled("because", &plain::line(&mistake.because));
    text += &labelled("try", &mistake.r#try);
    text + &command("more", &format!("cargo xtask explain {}", mistake.id))
}

pub(crate) fn unbuilt(unbuilt: &Unbuilt) -> String {
    let title = format!("{} ({})", plain::unbuilt(unbuilt), plain::line(&unbuilt.origin));
    let details = unbuilt.details();
    let shown = details.iter().take(COMPILE_ERRORS).map(|error| plain::coloured(error) + "\n");
    let rest = details.len().saturating_sub(COMPILE_ERRORS);
    let more = if rest > 0 {
        format!("… and {rest} more errors: mend these first\n")
    } else {
        String::new()
    };
    format!("\n{}\n\n{}{more}", paint(RED, &title), shown.collect::<Vec<_>>().join("\n"))
}

pub(crate) fn check(grading: &Grading, row: &GradedRow) -> String {
    check_with(grading, row, "at the top")
}

/// Returns a check; `where_told` says where the mistake behind it is told.
pub(super) fn check_with(grading: &Grading, row: &GradedRow, where_told: &str) -> String {
    let id = row.verdict.check;
    let points = format!("{}/{}", row.points(), row.max_points);
    let line = |style: Style, word: &str, id: &str| {
        format!("{}\n", spread(&format!("  {} {id}", paint(style, word)), &points))
    };
    match &row.verdict.status {
        Status::Passed => line(GREEN, "✓ passed ", id) + &given(row),
        Status::Failed(_) if grading.hides(row) => {
            line(RED, "✗ failed ", id) + &wrap(plain::HIDDEN, INDENT)
        }
        Status::Failed(failure) => {
            line(RED, "✗ failed ", id) + &evidence(grading, row, failure, where_told)
        }
        Status::Skipped(need) => {
            line(YELLOW, "– skipped", &format!("{id}, needs {}", plain::line(need)))
        }
        Status::Unbuilt => line(YELLOW, "– unbuilt", id),
        Status::Unseen(why) => line(YELLOW, "– not counted", id) + &wrap(why, INDENT),
        Status::Fault(fault) => {
            line(RED, "! fault  ", id)
                + &wrap(
                    &format!("The grader could not find out: {fault}. This costs no point."),
                    INDENT,
                )
        }
    }
}

/// Says why an unfinished skeleton passes.
fn given(row: &GradedRow) -> String {
    row.given.as_ref().map_or_else(String::new, |given| paint(DIM, &wrap(given, INDENT)))
}

fn evidence(grading: &Grading, row: &GradedRow, failure: &Failure, where_told: &str) -> String {
    let verdict = &row.verdict;
    let facts = plain::facts(grading, row, failure);
    let facts: String = facts.iter().map(|(label, fact)| labelled(label, fact)).collect();
    if failure.unwritten().is_some() {
        return facts + &command("again", &grading.again(verdict.check)) + "\n";
    }
    let mut text = paint(DIM, &wrap(&row.claim, INDENT)) + &facts;
    text += &match shown_before(grading, row, failure) {
        Some(id) => labelled("see", &format!("{id} above: the same happened there")),
        None => {
            difference(verdict, failure)
                + &conversation(grading, verdict)
                + &stderr(&verdict.stderr_tail)
        }
    };
    if let Some(mistake) = grading.mistake_of(verdict.check) {
        text += &labelled("mistake", &format!("{}, see {where_told}", mistake.id));
        return text + &command("again", &grading.again(verdict.check)) + "\n";
    }
    for hint in row.hints.iter().take(grading.hint_steps) {
        text += &labelled("try", hint);
    }
    if grading.hint_steps < row.hints.len() {
        text += &paint(DIM, &command("more", &format!("cargo xtask explain {}", verdict.check)));
    }
    text + &command("again", &grading.again(verdict.check)) + "\n"
}

/// Returns an earlier check with the same evidence, if the program did not get as far as a
/// conversation.
fn shown_before(grading: &Grading, row: &GradedRow, failure: &Failure) -> Option<&'static str> {
    let earlier = grading.rows.iter().take_while(|other| other.verdict.check != row.verdict.check);
    let earlier = earlier.filter(|other| !grading.hides(other));
    let said = |row: &GradedRow| -> Vec<u8> {
        let tail = row.verdict.stderr_tail.iter().copied();
        tail.filter(|byte| !byte.is_ascii_digit()).collect() // ports and process ids differ each time
    };
    let same = |other: &&GradedRow| match &other.verdict.status {
        Status::Failed(before) => before.observed == failure.observed && said(other) == said(row),
        _ => false,
    };
    let silent = row.verdict.transcript.is_empty();
    earlier.filter(|_| silent).find(same).map(|other| other.verdict.check)
}

/// Returns a label with wrapped text beside it.
pub(crate) fn labelled(label: &str, text: &str) -> String {
    const COLUMN: usize = 10;
    let wrapped = wrap(text, INDENT + COLUMN);
    format!("{}{label:<COLUMN$}{}", " ".repeat(INDENT), wrapped.trim_start())
}

/// Returns a label and a command in one line, to be pasted.
fn command(label: &str, command: &str) -> String {
    format!("{:INDENT$}{label:<10}{}\n", "", plain::line(command))
}

/// Returns the last steps of the peer that failed, and of the one whose bytes it got.
fn conversation(grading: &Grading, verdict: &Verdict) -> String {
    let Some(focus) = conversation::focus(verdict) else { return String::new() };
    let lines = focus.end(STRETCH, &grading.is_answer());
    let drawn = lines.iter().map(|line| match line {
        Line::Earlier(_) => format!("{}{}\n", " ".repeat(INDENT + 2), line.words()),
        Line::Step(event) => timed(&step(event), event.at),
        Line::Others { at, .. } => timed(&line.words(), *at),
        Line::Answered { peer, at, .. } | Line::Streamed { peer, at, .. } => {
            timed(&format!("{peer} {}", line.words()), *at)
        }
    });
    drawn.collect()
}

fn timed(text: &str, at: Duration) -> String {
    let left = format!("{}{text}", " ".repeat(INDENT + 2));
    format!("{}\n", spread(&left, &format!("{:8.1} ms", at.as_secs_f64() * 1e3)))
}

/// Returns where and how the bytes differ, if the lines before cannot show all of them.
fn difference(verdict: &Verdict, failure: &Failure) -> String {
    let Some(difference) = &failure.difference else { return String::new() };
    let mut text = String::new();
    if let Some(sentence) = hexdump::sentence(difference) {
        text += &labelled("bytes", &sentence);
        text += &hexdump::rows(difference, INDENT);
    }
    if let Some(whose) = conversation::whose(verdict) {
        text += &labelled("whose", &whose);
    }
    text
}

/// Returns one event: `→` goes to the program, `←` comes from it.
fn step(event: &Event) -> String {
    let Step { direction, words, .. } = steps::of(event);
    let words = match event.bytes {
        _ if !event.kind.carries_bytes() => words.to_owned(),
        1 => format!("{:<30} {:>8} byte", preview(event), 1),
        bytes => format!("{:<30} {bytes:>8} bytes", preview(event)),
    };
    format!("{} {} {words}", event.peer, direction.arrow())
}

/// Returns the end of the program's standard error.
fn stderr(tail: &[u8]) -> String {
    let shown = width() - INDENT - 10;
    let lines = said::stderr(tail);
    let pieces: Vec<&str> = lines.iter().flat_map(|line| cut(line, shown)).collect();
    let pieces = plain::last(&pieces, STDERR_LINES).iter();
    let label = |at: usize| if at == 0 { "stderr" } else { "" };
    pieces
        .enumerate()
        .map(|(at, piece)| format!("{:INDENT$}{:<8}| {piece}\n", "", label(at)))
        .collect()
}

/// Cuts a line into pieces of at most `width` columns, after a space if one is near the end.
fn cut(mut line: &str, width: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    loop {
        let (mut piece, mut rest) = columns::split(line, width);
        if rest.is_empty() {
            pieces.push(piece);
            return pieces;
        }
        let blank = piece.rfind(' ').filter(|at| columns::of(&piece[..*at]) >= width / 2);
        if let Some(at) = blank {
            (piece, rest) = line.split_at(at + 1);
        }
        pieces.push(piece);
        line = rest;
    }
}

/// Returns how many checks have which status, in words.
pub(super) fn counted(rows: &[&GradedRow]) -> String {
    let how_many =
        |wanted: fn(&Status) -> bool| rows.iter().filter(|row| wanted(&row.verdict.status)).count();
    let counts = [
        ("passed", how_many(|status| matches!(status, Status::Passed))),
        ("failed", how_many(|status| matches!(status, Status::Failed(_)))),
        ("skipped", how_many(|status| matches!(status, Status::Skipped(_)))),
        ("unbuilt", how_many(|status| matches!(status, Status::Unbuilt))),
        ("not counted", how_many(|status| matches!(status, Status::Unseen(_)))),
    ];
    let faults = how_many(|status| matches!(status, Status::Fault(_)));
    let shown = counts.iter().filter(|(_, n)| *n > 0);
    let shown = shown.map(|(word, n)| format!("{n} {word}"));
    shown.chain((faults > 0).then(|| count(faults, "fault"))).collect::<Vec<_>>().join(", ")
}

/// Returns the line with the score.
pub(super) fn score(grading: &Grading) -> String {
    let style = if grading.passed() { GREEN.bold() } else { RED };
    let score = paint(style, &format!("Score {}", Points::of(&grading.rows)));
    let time = format!("{:.2} s", grading.duration.as_secs_f64());
    let counted = counted(&grading.rows.iter().collect::<Vec<_>>());
    format!("{}\n", spread(&format!("{score}   {counted}"), &time))
}

fn summary(grading: &Grading) -> String {
    let mut text = format!("\n{}", score(grading));
    text += &lost(grading);
    text += &grading.since.as_ref().map_or_else(String::new, |since| wrap(&since.words(), 0));
    text += &grading.next().as_ref().map_or_else(String::new, |what| next(grading, what));
    for note in &grading.notes {
        text += &wrap(&format!("Submission: {note}."), 0);
    }
    if let Some(note) = stuck::unseen(grading) {
        text += &paint(DIM, &wrap(&note, 0));
    }
    text + &paint(DIM, &wrap(&format!("Confinement: {}.", grading.confinement.join("; ")), 0))
}

fn lost(grading: &Grading) -> String {
    let lost = grading.groups().into_iter().filter_map(|(group, rows)| {
        let lost = Points::of(rows).lost();
        (lost > 0).then(|| format!("{group} {lost}"))
    });
    let lost: Vec<String> = lost.collect();
    if lost.is_empty() {
        String::new()
    } else {
        wrap(&format!("Points lost: {}", lost.join(", ")), 0)
    }
}

/// Says what to do next. The command has its own line, to be copied.
fn next(grading: &Grading, next: &Next<'_>) -> String {
    let command =
        plain::explained_by(next).map_or_else(String::new, |command| format!("      {command}\n"));
    wrap(&format!("Next: {}", plain::next(grading, next)), 0) + &command
}
