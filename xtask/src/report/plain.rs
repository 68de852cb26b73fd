//! What every format says about a check, in one line and in full. Text from programs is shortened,
//! and nothing in it is invisible.

use suite::{Event, Failure, Status, Verdict, show};

use super::conversation::{self, Line};
use super::{hexdump, human, refused, said, steps, stuck};
use crate::explanations::NamedMistake;
use crate::grade::{GradedRow, Grading, Next};
use crate::plural::count;
use crate::unbuilt::{Reason, Unbuilt};
use crate::visible;

/// The lines of a conversation that are shown.
const STRETCH: usize = 12;

/// The characters of a line from outside that are shown.
pub(super) const LONGEST_LINE: usize = 1000;
pub(super) const STDERR_LINES: usize = 12;
const COMPILE_ERRORS: usize = 5;
const LONGEST_COMPILE_ERROR: usize = 4000;

/// What students read about a hidden check.
pub(super) const HIDDEN: &str = "What this check saw is not shown.";

/// Returns the name of a status in every report.
pub(super) fn status(status: &Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Failed(_) => "failed",
        Status::Skipped(_) | Status::Unseen(_) => "skipped",
        Status::Unbuilt => "unbuilt",
        Status::Fault(_) => "fault",
    }
}

/// Returns one line about a check that did not pass.
pub(super) fn message(grading: &Grading, row: &GradedRow) -> Option<String> {
    let message = match &row.verdict.status {
        Status::Passed => return None,
        Status::Failed(failure) => failed_in_short(grading, row, failure),
        Status::Skipped(need) => format!("not run: {need} must pass first"),
        Status::Unseen(why) => format!("not counted: {why}"),
        Status::Unbuilt => {
            grading.unbuilt.iter().map(unbuilt_and_why).collect::<Vec<_>>().join("; ")
        }
        Status::Fault(fault) => {
            format!("a fault of the grader, which costs no point: {fault}")
        }
    };
    Some(line(&message))
}

fn failed_in_short(grading: &Grading, row: &GradedRow, failure: &Failure) -> String {
    if let Some((step, place)) = grading.unwritten(row) {
        let observed = format!("{}, in {place}", not_written(&step));
        return Failure { observed, ..failure.clone() }.to_string();
    }
    let said = failed_and_how(row, failure);
    refused::sentence(&row.verdict).map_or(said.clone(), |refused| format!("{said} ({refused})"))
}

fn failed_and_how(row: &GradedRow, failure: &Failure) -> String {
    match (&row.verdict.over, &row.verdict.ended) {
        (Some(limit), _) if !failure.observed.contains(limit) => {
            format!("{failure} ({})", ended_for(limit))
        }
        (None, Some(exit)) if !failure.observed.contains(exit) => {
            format!("{failure} (your program stopped: {exit})")
        }
        _ => failure.to_string(),
    }
}

/// Says that a step is not written yet.
pub(super) fn not_written(step: &str) -> String {
    match step {
        "" => "not yet implemented".to_owned(),
        step => format!("not yet implemented: {step}"),
    }
}

/// Says what to write.
pub(super) fn to_write(step: &str, place: &str) -> String {
    let what = if step.is_empty() { "what is not written yet" } else { step };
    line(&format!("write {what}, in {place}"))
}

/// Returns the same line without what a hidden check saw.
pub(super) fn message_for_students(grading: &Grading, row: &GradedRow) -> Option<String> {
    let message = message(grading, row)?;
    Some(if grading.hides(row) { HIDDEN.to_owned() } else { message })
}

/// Returns everything that was seen, without what a hidden check saw.
pub(super) fn full_for_students(grading: &Grading, row: &GradedRow) -> String {
    if grading.hides(row) { format!("{HIDDEN}\n") } else { full(grading, row) }
}

/// Returns everything that was seen, and what to try, in plain text. Empty if there is nothing to
/// say.
pub(super) fn full(grading: &Grading, row: &GradedRow) -> String {
    match &row.verdict.status {
        Status::Failed(failure) => failed(grading, row, failure),
        Status::Unbuilt => compile_errors(grading),
        _ => message(grading, row).map_or_else(String::new, |message| message + "\n"),
    }
}

fn failed(grading: &Grading, row: &GradedRow, failure: &Failure) -> String {
    let verdict = &row.verdict;
    let facts: String =
        facts(grading, row, failure).iter().map(|(label, fact)| labelled(label, fact)).collect();
    if failure.unwritten().is_some() {
        return facts + &labelled("again", &grading.again(verdict.check));
    }
    let mut text = format!("{}\n{facts}", clean(&row.claim));
    text += &conversation(grading, verdict);
    text += &difference(verdict, failure);
    text += &said::stderr(&verdict.stderr_tail)
        .iter()
        .map(|said| format!("stderr    | {said}\n"))
        .collect::<String>();
    text += &match grading.mistake_of(verdict.check) {
        Some(mistake) => labelled("mistake", &format!("{}: {}", mistake.id, mistake.says)),
        None => {
            row.hints.iter().take(grading.hint_steps).map(|hint| labelled("try", hint)).collect()
        }
    };
    text + &labelled("again", &grading.again(verdict.check))
}

fn ended_for(limit: &str) -> String {
    format!("your program was ended by the grader for using {limit}")
}

/// Returns what was expected and what came, with labels.
pub(super) fn facts(
    grading: &Grading,
    row: &GradedRow,
    failure: &Failure,
) -> Vec<(&'static str, String)> {
    let facts = match grading.unwritten(row) {
        Some((step, place)) => vec![("got", not_written(&step)), ("in", place)],
        None => seen(&row.verdict, failure),
    };
    facts.into_iter().map(|(label, fact)| (label, line(&fact))).collect()
}

fn seen(verdict: &Verdict, failure: &Failure) -> Vec<(&'static str, String)> {
    let new = |how: &&String| !failure.observed.contains(*how);
    let by_itself = || {
        let exit = verdict.ended.as_ref().filter(new)?;
        Some(format!("your program stopped by itself: {exit}"))
    };
    let ended = match &verdict.over {
        Some(limit) => Some(limit).filter(new).map(|limit| ended_for(limit)),
        None => by_itself(),
    };
    let smallest = failure.smallest.clone().or_else(|| {
        let size = failure.smallest_failing_input?;
        Some(format!("failing case found: a message of {}", count(size, "byte")))
    });
    let facts = [
        ("expected", Some(failure.expected.clone())),
        ("got", Some(failure.observed.clone())),
        ("and", ended),
        ("refused", refused::sentence(verdict)),
        ("smallest", smallest),
        ("stuck", stuck::sentence(verdict)),
    ];
    facts.into_iter().filter_map(|(label, fact)| Some((label, fact?))).collect()
}

fn labelled(label: &str, text: &str) -> String {
    format!("{label:<10}{}\n", line(text))
}

/// Returns the report for people without colour.
pub(super) fn report(grading: &Grading) -> String {
    anstream::adapter::strip_str(&human::render(grading)).to_string()
}

/// Returns a mistake in a few sentences.
pub(super) fn mistake(mistake: &NamedMistake) -> String {
    let because = line(&mistake.because);
    format!("{} Because: {}. Try: {}", mistake.says, because.trim_end_matches('.'), mistake.r#try)
}

/// Returns the last lines of a conversation: `→` goes to the program, `←` comes from it.
fn conversation(grading: &Grading, verdict: &Verdict) -> String {
    let Some(focus) = conversation::focus(verdict) else { return String::new() };
    let drawn = focus.end(STRETCH, &grading.is_answer()).into_iter().map(|line| {
        let at =
            line.at().map_or_else(String::new, |at| format!("{:>10.1} ms", at.as_secs_f64() * 1e3));
        format!("  {:<58}{at}", words(&line)).trim_end().to_owned() + "\n"
    });
    drawn.collect()
}

fn words(line: &Line<'_>) -> String {
    match line {
        Line::Step(event) => step(event),
        Line::Answered { peer, .. } | Line::Streamed { peer, .. } => {
            format!("{peer} {}", line.words())
        }
        line => line.words(),
    }
}

/// Returns where and how the bytes differ, if the lines before cannot show all of them.
pub(super) fn difference(verdict: &Verdict, failure: &Failure) -> String {
    let Some(difference) = &failure.difference else { return String::new() };
    let mut text = String::new();
    if let Some(sentence) = hexdump::sentence(difference) {
        text += &labelled("bytes", &sentence);
        text += &anstream::adapter::strip_str(&hexdump::rows(difference, 2)).to_string();
    }
    text + &conversation::whose(verdict).map_or_else(String::new, |whose| labelled("whose", &whose))
}

/// Returns the last items, at most `most`.
pub(super) fn last<T>(all: &[T], most: usize) -> &[T] {
    &all[all.len().saturating_sub(most)..]
}

fn step(event: &Event) -> String {
    format!("{} {} {}", event.peer, steps::of(event).direction.arrow(), event_words(event))
}

/// Returns an event in words.
pub(super) fn event_words(event: &Event) -> String {
    const SHOWN: usize = 24;
    if !event.kind.carries_bytes() {
        return steps::of(event).words.to_owned();
    }
    let preview = show(&event.preview[..event.preview.len().min(SHOWN)], SHOWN);
    let more = if event.bytes > SHOWN { "…" } else { "" };
    format!("{preview}{more}, {}", count(event.bytes, "byte"))
}

/// Says which program is missing, and why.
pub(super) fn unbuilt(unbuilt: &Unbuilt) -> String {
    let program = &unbuilt.program;
    match &unbuilt.reason {
        Reason::Missing(_) => format!("{program} is missing"),
        Reason::Refused(_) => format!("{program} is refused"),
        Reason::OverLimit(limit) => format!("{program} was not built: the build used {limit}"),
        Reason::DoesNotCompile(_) => format!("{program} does not compile"),
        Reason::MissesDependency(_) => {
            format!("{program} is not built: it uses a dependency that does not count")
        }
    }
}

fn unbuilt_and_why(program: &Unbuilt) -> String {
    match &program.reason {
        Reason::Refused(why) => format!("{}: {why}", unbuilt(program)),
        Reason::MissesDependency(all) => {
            format!("{}: {}", unbuilt(program), all.first().map_or("", |first| first))
        }
        _ => unbuilt(program),
    }
}

/// Says what to do first.
pub(super) fn next(grading: &Grading, next: &Next<'_>) -> String {
    match next {
        Next::Step(row) => {
            let (step, place) = grading.unwritten(row).unwrap_or_default();
            to_write(&step, &place)
        }
        Next::Build(Unbuilt { program, reason: Reason::DoesNotCompile(_), .. }) => {
            format!("make {program} compile.")
        }
        Next::Build(program) => format!("{}.", unbuilt(program)),
        Next::Mistake(mistake) => format!("{}. {}", mistake.id, mistake.r#try),
        Next::Check(row) => format!("{}. {}", row.verdict.check, row.claim),
    }
}

/// Returns the command that says more about it.
pub(super) fn explained_by(next: &Next<'_>) -> Option<String> {
    let word = match next {
        Next::Build(_) | Next::Step(_) => return None,
        Next::Mistake(mistake) => mistake.id,
        Next::Check(row) => row.verdict.check,
    };
    Some(format!("cargo xtask explain {word}"))
}

/// Returns the protections in force, and what of the submission was left out.
pub(super) fn premises(grading: &Grading) -> Vec<String> {
    let confinement = clean(&format!("Confinement: {}.", grading.confinement.join("; ")));
    grading
        .notes
        .iter()
        .map(|note| format!("Submission: {}.", line(note)))
        .chain([confinement])
        .collect()
}

/// Returns the compiler's errors, shortened.
pub(super) fn compile_errors(grading: &Grading) -> String {
    let each = |program: &Unbuilt| {
        let details = program.details();
        let shown = details.iter().take(COMPILE_ERRORS);
        let shown: String =
            shown.map(|error| format!("\n{}\n", compile_error(error).trim_end())).collect();
        let rest = details.len().saturating_sub(COMPILE_ERRORS);
        let more = if rest > 0 { format!("\n… and {rest} more errors\n") } else { String::new() };
        format!("{}\n{shown}{more}", unbuilt(program))
    };
    grading.unbuilt.iter().map(each).collect::<Vec<_>>().join("\n")
}

/// Returns one error as rustc renders it, without colour.
pub(super) fn compile_error(rendered: &str) -> String {
    let plain = anstream::adapter::strip_str(rendered).to_string();
    clean(&visible::cut(&plain, LONGEST_COMPILE_ERROR))
}

/// Returns the same with its colours, and without other terminal commands.
pub(super) fn coloured(rendered: &str) -> String {
    if rendered.len() > LONGEST_COMPILE_ERROR {
        return compile_error(rendered).trim_end().to_owned();
    }
    let text = visible::styled(rendered.trim_end());
    let is_open = text.contains('\x1b') && !text.ends_with("\x1b[0m");
    if is_open { text + "\x1b[0m" } else { text }
}

/// A place in the submission: a file and a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) file: String,
    pub(super) line: u32,
}

/// Returns the place that the compiler names.
pub(super) fn spot_of_error(grading: &Grading, program: &str, rendered: &str) -> Option<Spot> {
    let (_, after) = rendered.split_once("--> ")?;
    spot(grading, program, after.lines().next()?)
}

/// Returns where the program panicked. Its output may say anything, so only a place in its own
/// folder counts.
pub(super) fn spot_of_panic(grading: &Grading, row: &GradedRow) -> Option<Spot> {
    if !matches!(row.verdict.status, Status::Failed(_)) || grading.hides(row) {
        return None;
    }
    let unwritten = row.verdict.failure().and_then(suite::Failure::unwritten);
    if let Some(step) = unwritten {
        return spot(grading, row.program, &format!("{}:{}", step.file, step.line));
    }
    let text = String::from_utf8_lossy(last(&row.verdict.stderr_tail, STDERR_LINES * LONGEST_LINE))
        .into_owned();
    let (_, after) = text.rsplit_once("panicked at ")?;
    spot(grading, row.program, after.lines().next()?)
}

/// Reads a place like `src/main.rs:61:5` in the folder of a program.
fn spot(grading: &Grading, program: &str, words: &str) -> Option<Spot> {
    let (_, folder) = grading.folders.iter().find(|(name, _)| name == program)?;
    let mut parts = anstream::adapter::strip_str(words).to_string();
    parts.truncate(parts.trim_end().trim_end_matches(':').len());
    let (file, rest) = parts.split_once(':')?;
    let file = grading.places.within(program, file);
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    if !file.starts_with("src/") || file.contains("..") || !file.chars().all(plain) {
        return None;
    }
    let line = rest.split(':').next()?.parse().ok()?;
    Some(Spot {
        file: [folder, file]
            .map(|part| part.trim_matches('/'))
            .join("/")
            .trim_matches('/')
            .to_owned(),
        line,
    })
}

/// Returns one clean line, shortened.
pub(super) fn line(text: &str) -> String {
    clean(&visible::cut(text.trim_end(), LONGEST_LINE)).replace(['\n', '\t'], " ")
}

/// Returns text of several lines in which every character is visible. XML 1.0 accepts it.
pub(super) fn clean(text: &str) -> String {
    visible::text(text)
}
