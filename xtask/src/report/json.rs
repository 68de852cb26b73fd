//! The verdict as JSON, schema 1. Keys without a value are left out;
//! where there is no grade, `fault` says why, and there is no score.

use serde::Serialize;
use suite::{Event, Status, show};

use super::{plain, pretty, steps, stuck};
use crate::grade::{Grade, GradedRow, Grading, NoGrade};

const SCHEMA: u32 = 1;

/// How much of an event's bytes is shown.
const PREVIEW: usize = 64;

/// How much of the end of a program's standard error is shown.
const STDERR: usize = 16 * 1024;

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    practical: &'a str,
    submission: &'a str,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_score: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passed: Option<bool>,
    /// Why this is no grade.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a str>,
    confinement: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    duration_ms: u128,
    mistakes: Vec<Mistake>,
    checks: Vec<Check<'a>>,
}

#[derive(Serialize)]
struct Mistake {
    id: &'static str,
    because: String,
    checks: Vec<&'static str>,
}

#[derive(Serialize)]
struct Check<'a> {
    id: &'a str,
    group: &'a str,
    program: &'a str,
    status: &'static str,
    points: u32,
    max_points: u32,
    duration_ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mistake: Option<&'a str>,
    /// The step that is not written yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    unwritten: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    smallest_failing_input: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_in: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transcript: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr_tail: Option<String>,
}

#[derive(Serialize)]
struct Entry<'a> {
    at_us: u128,
    peer: &'a str,
    event: &'static str,
    bytes: usize,
    preview: String,
}

/// The whole report, with a line end.
pub(super) fn render(grading: &Grading) -> String {
    let grade = grading.outcome.as_ref().ok();
    let report = Report {
        schema: SCHEMA,
        practical: grading.practical,
        submission: &grading.submission,
        seed: grading.seed,
        score: grade.map(|grade| grade.points.earned),
        max_score: grade.map(|grade| grade.points.most),
        passed: grade.map(Grade::passed),
        fault: grading.outcome.as_ref().err().map(|NoGrade(why)| why.as_str()),
        confinement: &grading.confinement,
        notes: &grading.notes,
        duration_ms: grading.duration.as_millis(),
        mistakes: grading
            .mistakes_to_tell()
            .into_iter()
            .map(|mistake| Mistake {
                id: mistake.id,
                because: mistake.because,
                checks: mistake.checks,
            })
            .collect(),
        checks: grading.rows.iter().map(|row| check(grading, row)).collect(),
    };
    pretty(&report)
}

fn check<'a>(grading: &'a Grading, row: &'a GradedRow) -> Check<'a> {
    let verdict = &row.verdict;
    let failed = matches!(verdict.status, Status::Failed(_)) && !grading.hides(row);
    let unwritten = grading.unwritten(row);
    let hint = match &unwritten {
        Some((step, place)) => Some(plain::to_write(step, place)),
        None => row.hints.first().cloned(),
    };
    Check {
        id: verdict.check,
        group: row.group,
        program: row.program,
        status: plain::status(&verdict.status),
        points: row.points(),
        max_points: row.max_points,
        duration_ms: verdict.took.as_millis(),
        message: plain::message_for_students(grading, row),
        mistake: grading
            .mistake_of(verdict.check)
            .filter(|_| !grading.hides(row))
            .map(|mistake| mistake.id),
        unwritten: unwritten.map(|(step, place)| if step.is_empty() { place } else { step }),
        hint: hint.filter(|_| failed),
        smallest_failing_input: match &verdict.status {
            Status::Failed(failure) if failed => failure.smallest_failing_input,
            _ => None,
        },
        blocked_in: stuck::sentence(verdict).filter(|_| failed),
        transcript: if failed { transcript(&verdict.transcript) } else { Vec::new() },
        stderr_tail: Some(&verdict.stderr_tail)
            .filter(|tail| failed && !tail.is_empty())
            .map(|tail| String::from_utf8_lossy(plain::last(tail, STDERR)).into_owned()),
    }
}

/// The beginning and the end as they were; between them one entry stands for all of its kind.
fn transcript(events: &[Event]) -> Vec<Entry<'_>> {
    const FIRST: usize = 60;
    const LAST: usize = 130;
    if events.len() <= FIRST + LAST {
        return events.iter().map(entry).collect();
    }
    let (first, rest) = events.split_at(FIRST);
    let (middle, last) = rest.split_at(rest.len() - LAST);
    first.iter().map(entry).chain(folded(middle)).chain(last.iter().map(entry)).collect()
}

fn folded(events: &[Event]) -> Vec<Entry<'_>> {
    let mut entries: Vec<(Entry<'_>, usize)> = Vec::new();
    for event in events {
        let new = entry(event);
        match entries.iter_mut().find(|(known, _)| known.event == new.event) {
            Some((known, times)) => {
                known.bytes += new.bytes;
                *times += event.stretches;
            }
            None => entries.push((Entry { peer: "…", ..new }, event.stretches)),
        }
    }
    let said = |times| format!("({times} of this kind, folded)");
    entries.into_iter().map(|(entry, times)| Entry { preview: said(times), ..entry }).collect()
}

fn entry(event: &Event) -> Entry<'_> {
    let (name, said) = steps::of(event).json();
    let preview = if event.bytes > 0 { show(&event.preview, PREVIEW) } else { said.to_owned() };
    Entry {
        at_us: event.at.as_micros(),
        peer: &event.peer,
        event: name,
        bytes: event.bytes,
        preview,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use suite::EventKind;

    use super::*;

    #[test]
    fn a_long_transcript_stays_short_and_loses_no_count() {
        let events: Vec<Event> = (0..5000)
            .map(|number| {
                let kind = if number % 2 == 0 { EventKind::Send } else { EventKind::Receive };
                Event::new(Duration::from_micros(number), "a", kind, b"abc")
            })
            .collect();
        let entries = transcript(&events);
        assert!(entries.len() <= 200, "{}", entries.len());
        assert_eq!(entries.iter().map(|entry| entry.bytes).sum::<usize>(), 15_000);
        assert_eq!(entries[60].preview, "(2405 of this kind, folded)");
    }
}
