//! Autolab's format, at the end of a job's output: a line of stages and tests, then the line of
//! scores, with a problem for each group of checks.
//!
//! Autolab's reader puts quotation marks round every word before a colon, even in strings, so no
//! string contains a colon. Without a grade the last line is not a line of scores: Autolab says
//! that it cannot read it and keeps its earlier scores.

use serde_json::{Map, Value, json};
use suite::Status;

use super::plain;
use crate::grade::{GradedRow, Grading, NoGrade, Points};
use crate::visible;

pub(super) fn render(grading: &Grading) -> String {
    if let Err(NoGrade(fault)) = &grading.outcome {
        return format!("There is no grade, and this costs no point:\n{}\n", plain::line(fault));
    }
    let text = plain::clean(&plain::report(grading));
    format!("{text}\n{}\n{}\n", without_colons(&stages(grading)), without_colons(&scores(grading)))
}

fn scores(grading: &Grading) -> Value {
    let problems = grading
        .groups()
        .into_iter()
        .map(|(group, rows)| (group.to_owned(), Points::of(rows).earned.into()));
    json!({ "scores": problems.collect::<Map<_, _>>() })
}

fn stages(grading: &Grading) -> Value {
    let built = |row: &&GradedRow| row.verdict.status != Status::Unbuilt;
    let compile = json!({ "compile": { "passed": grading.rows.iter().all(|row| built(&row)) } });
    let tests =
        grading.counted_rows().map(|row| (row.verdict.check.to_owned(), test(grading, row)));
    json!({
        "_presentation": "semantic", "stages": ["Build", "Test"],
        "Build": compile, "Test": tests.collect::<Map<_, _>>(),
    })
}

fn test(grading: &Grading, row: &GradedRow) -> Value {
    match plain::message_for_students(grading, row) {
        None => json!({ "passed": true }),
        Some(message) => json!({ "passed": false, "hint": message }),
    }
}

/// Writes colons in strings as JSON escapes, which the reader's pattern does not find.
fn without_colons(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| format!("{}:{}", escaped(key), without_colons(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => {
            format!("[{}]", values.iter().map(without_colons).collect::<Vec<_>>().join(","))
        }
        Value::String(text) => escaped(text),
        plain => plain.to_string(),
    }
}

fn escaped(text: &str) -> String {
    visible::json(&Value::from(text).to_string()).replace(':', "\\u003a")
}
