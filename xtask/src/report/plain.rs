//! What every format says about a check: in one line, and in full. It is made of text that anyone may show: what a program
//! printed is cut, and nothing in it is invisible.

use suite::{Event, Failure, Status, What, show};

use super::human;
use crate::build::CompileErrors;
use crate::explanations::NamedMistake;
use crate::grade::{Grade, GradedRow};

/// The stretch of a conversation that is shown.
const STRETCH: usize = 12;

/// How much of a text from outside is shown.
const LONGEST_LINE: usize = 1000;
const STDERR_LINES: usize = 12;
const COMPILE_ERRORS: usize = 5;
const LONGEST_COMPILE_ERROR: usize = 4000;

/// What students are told of a check that is the instructor's alone.
const HIDDEN: &str = "a check that is not shown";

/// How a status is called in every report.
pub(super) fn status(status: &Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Failed(_) => "failed",
        Status::Skipped(_) | Status::Unseen(_) => "skipped",
        Status::Unbuilt => "unbuilt",
        Status::Fault(_) => "fault",
    }
}

/// What is to be said about a check that did not pass, in one line.
pub(super) fn message(grade: &Grade, row: &GradedRow) -> Option<String> {
    let message = match &row.verdict.status {
        Status::Passed => return None,
        Status::Failed(failure) => match &row.verdict.ended {
            Some(exit) => format!("{failure} (the program had ended: {exit})"),
            None => failure.to_string(),
        },
        Status::Skipped(need) => format!("not run: {need} must pass first"),
        Status::Unseen(why) => format!("not counted: {why}"),
        Status::Unbuilt => {
            let about = |errors: &CompileErrors| match errors.what.as_str() {
                "is refused" => format!("{} is refused: {}", errors.program, errors.errors.join("; ")),
                _ => unbuilt(errors),
            };
            grade.compile_errors.iter().map(about).collect::<Vec<_>>().join("; ")
        }
        Status::Fault(fault) => format!("a fault of the grader's own, which costs no point: {fault}"),
    };
    Some(line(&message))
}

/// The same for whoever may not see what a hidden check saw.
pub(super) fn message_for_students(grade: &Grade, row: &GradedRow) -> Option<String> {
    let message = message(grade, row)?;
    Some(if row.hidden { HIDDEN.to_owned() } else { message })
}

/// Everything that was seen, for whoever may not see what a hidden check saw.
pub(super) fn full_for_students(grade: &Grade, row: &GradedRow) -> String {
    if row.hidden { format!("{HIDDEN}\n") } else { full(grade, row) }
}

/// Everything that was seen, and what to try; plain text, each line ended. Empty where there is nothing to say.
pub(super) fn full(grade: &Grade, row: &GradedRow) -> String {
    match &row.verdict.status {
        Status::Failed(failure) => failed(grade, row, failure),
        Status::Unbuilt => compile_errors(grade),
        _ => message(grade, row).map_or_else(String::new, |message| message + "\n"),
    }
}

fn failed(grade: &Grade, row: &GradedRow, failure: &Failure) -> String {
    let verdict = &row.verdict;
    let smallest = failure.smallest.clone().or_else(|| {
        let size = failure.smallest_failing_input?;
        Some(format!("a message of {size} bytes is the smallest found that breaks it"))
    });
    let mut text = format!("{}\n", row.claim);
    let facts = [
        ("expected", Some(failure.expected.clone())),
        ("got", Some(failure.observed.clone())),
        ("and", verdict.ended.as_ref().map(|exit| format!("the program had ended by itself: {exit}"))),
        ("smallest", smallest),
        ("stuck", verdict.blocked_in.clone()),
    ];
    text += &facts.map(|(label, fact)| labelled(label, fact)).concat();
    text += &conversation(&verdict.transcript);
    text += &stderr(&verdict.stderr_tail);
    text += &match grade.mistake_of(verdict.check) {
        Some(mistake) => labelled("mistake", Some(format!("{}: {}", mistake.id, mistake.says))),
        None => row.hints.iter().take(grade.hint_steps).map(|hint| labelled("try", Some(hint.clone()))).collect(),
    };
    text + &labelled("again", Some(grade.again(verdict.check)))
}

fn labelled(label: &str, text: Option<String>) -> String {
    text.map_or_else(String::new, |text| format!("{label:<10}{}\n", line(&text)))
}

/// The mistakes that students are told of: not those of which only hidden checks tell.
pub(super) fn mistakes_for_students(grade: &Grade) -> Vec<&NamedMistake> {
    let shown = |id: &&str| grade.rows.iter().any(|row| !row.hidden && row.verdict.check == *id);
    grade.mistakes.iter().filter(|mistake| mistake.checks.iter().any(&shown)).collect()
}

/// The report for people as students may see it, where they cannot see all of it.
pub(super) fn report_for_students(grade: &Grade) -> String {
    if !grade.rows.iter().any(|row| row.hidden) {
        return anstream::adapter::strip_str(&human::render(grade)).to_string();
    }
    let rows = grade.rows.iter().map(|row| {
        let title =
            format!("{} {} {}/{}\n", status(&row.verdict.status), row.verdict.check, row.points(), row.max_points);
        let shown = if row.verdict.status == Status::Passed { String::new() } else { full_for_students(grade, row) };
        title + &shown + "\n"
    });
    format!("{}\n\n{}Score {}/{}\n", grade.title, rows.collect::<String>(), grade.score(), grade.max_score())
}

/// A mistake that was made out, in a few sentences.
pub(super) fn mistake(mistake: &NamedMistake) -> String {
    let because = line(&mistake.because);
    format!("{} Because: {}. Try: {}", mistake.says, because.trim_end_matches('.'), mistake.r#try)
}

/// The end of a conversation, a line for each step: `→` goes to the program, `←` comes from it.
fn conversation(events: &[Event]) -> String {
    let shown = last(events, STRETCH);
    let earlier = events.len() - shown.len();
    let more = if earlier > 0 { format!("  … {earlier} earlier steps\n") } else { String::new() };
    let steps = shown.iter().map(|event| format!("  {:<58}{:>10.1} ms\n", step(event), event.at.as_secs_f64() * 1e3));
    more + &steps.collect::<String>()
}

/// The last few of many.
pub(super) fn last<T>(all: &[T], most: usize) -> &[T] {
    &all[all.len().saturating_sub(most)..]
}

fn step(event: &Event) -> String {
    let arrow = if goes_to_the_program(event) { "→" } else { "←" };
    format!("{} {arrow} {}", event.peer, what(event))
}

pub(super) fn goes_to_the_program(event: &Event) -> bool {
    matches!(event.what, What::Connect | What::Send | What::HalfClose | What::Close | What::SendReset)
}

/// What happened, from the program's point of view.
pub(super) fn what(event: &Event) -> String {
    const SHOWN: usize = 24;
    match event.what {
        What::Connect | What::Accept => "connects".to_owned(),
        What::Refused => "connection refused".to_owned(),
        What::Send | What::Receive => {
            let preview = show(&event.preview[..event.preview.len().min(SHOWN)], SHOWN);
            let more = if event.bytes > SHOWN { "…" } else { "" };
            format!("{preview}{more}, {} byte{}", event.bytes, if event.bytes == 1 { "" } else { "s" })
        }
        What::HalfClose | What::End => "end of stream".to_owned(),
        What::Close => "closes".to_owned(),
        What::SendReset | What::Reset => "reset".to_owned(),
        What::Timeout => "nothing more".to_owned(),
    }
}

/// The end of what the program said.
fn stderr(tail: &[u8]) -> String {
    let text = String::from_utf8_lossy(last(tail, STDERR_LINES * LONGEST_LINE));
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(human::NOISE)).collect();
    let shown = last(&lines, STDERR_LINES).iter();
    shown.map(|said| format!("stderr    | {}\n", line(said))).collect()
}

/// Which program there is not, and for what reason.
pub(super) fn unbuilt(errors: &CompileErrors) -> String {
    format!("{} {}", errors.program, errors.what)
}

/// What the programs ran under, and what of the submission was left aside.
pub(super) fn premises(grade: &Grade) -> Vec<String> {
    let confinement = format!("Confinement: {}.", grade.confinement.join("; "));
    grade.notes.iter().map(|note| format!("Submission: {}.", line(note))).chain([confinement]).collect()
}

/// What the compiler said, as far as it is read.
pub(super) fn compile_errors(grade: &Grade) -> String {
    let each = |errors: &CompileErrors| {
        let shown = errors.errors.iter().take(COMPILE_ERRORS);
        let shown: String = shown.map(|error| format!("\n{}\n", compile_error(error).trim_end())).collect();
        let rest = errors.errors.len().saturating_sub(COMPILE_ERRORS);
        let more = if rest > 0 { format!("\n… and {rest} more errors\n") } else { String::new() };
        format!("{}\n{shown}{more}", unbuilt(errors))
    };
    grade.compile_errors.iter().map(each).collect::<Vec<_>>().join("\n")
}

/// One error as rustc renders it, without colour.
pub(super) fn compile_error(rendered: &str) -> String {
    let plain = anstream::adapter::strip_str(rendered).to_string();
    clean(&cut(&plain, LONGEST_COMPILE_ERROR))
}

/// Where in the submission a failure shows: a file, and a line in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) file: String,
    pub(super) line: u32,
}

/// Where the compiler points to.
pub(super) fn spot_of_error(grade: &Grade, program: &str, rendered: &str) -> Option<Spot> {
    let (_, after) = rendered.split_once("--> ")?;
    spot(grade, program, after.lines().next()?)
}

/// Where the program panicked. It may have said anything: what comes of it is a place in its own folder, or nothing.
pub(super) fn spot_of_panic(grade: &Grade, row: &GradedRow) -> Option<Spot> {
    if !matches!(row.verdict.status, Status::Failed(_)) || row.hidden {
        return None;
    }
    let text = String::from_utf8_lossy(last(&row.verdict.stderr_tail, STDERR_LINES * LONGEST_LINE)).into_owned();
    let (_, after) = text.rsplit_once("panicked at ")?;
    spot(grade, row.program, after.lines().next()?)
}

/// `src/main.rs:61:5` in the folder of a program.
fn spot(grade: &Grade, program: &str, words: &str) -> Option<Spot> {
    let (_, folder) = grade.folders.iter().find(|(name, _)| name == program)?;
    let mut parts = anstream::adapter::strip_str(words).to_string();
    parts.truncate(parts.trim_end().trim_end_matches(':').len());
    let (file, rest) = parts.split_once(':')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    if !file.starts_with("src/") || file.contains("..") || !file.chars().all(plain) {
        return None;
    }
    let line = rest.split(':').next()?.parse().ok()?;
    Some(Spot { file: [folder, file].map(|part| part.trim_matches('/')).join("/").trim_matches('/').to_owned(), line })
}

/// One line that is not too long.
pub(super) fn line(text: &str) -> String {
    clean(&cut(text.trim_end(), LONGEST_LINE)).replace(['\n', '\t'], " ")
}

/// The beginning of a long text.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}… ({} bytes more)", &text[..end], text.len() - end),
        None => text.to_owned(),
    }
}

/// Text in which everything can be seen: controls, and what turns the direction of writing, stand as escapes. This is also what
/// XML 1.0 can hold.
pub(super) fn clean(text: &str) -> String {
    let visible = |c: char| match c {
        '\n' | '\t' => c.to_string(),
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
            c.escape_unicode().to_string()
        }
        '\u{fffe}' | '\u{ffff}' => c.escape_unicode().to_string(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(visible).collect()
}
