//! GitHub Classroom's runner results, as lines for a step's outputs: `result` with all checks, and
//! one output for each check. Classroom's table counts tests, not points, so it is right only for
//! runners with one test.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use suite::Status;

use super::plain;
use crate::grade::{Grade, GradedRow, Grading, NoGrade};
use crate::visible;

#[derive(Serialize)]
struct Runner {
    version: u32,
    status: &'static str,
    max_score: u32,
    /// Never empty: the reporter divides by their number.
    tests: Vec<Test>,
    /// The reporter does not read them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    premises: Vec<String>,
}

#[derive(Serialize, Clone)]
struct Test {
    name: &'static str,
    status: &'static str,
    score: u32,
    message: String,
    test_code: String,
    filename: String,
    /// The reporter prints any number but 0.
    line_no: u32,
    duration: u128,
}

/// Returns a line for each output.
pub(super) fn render(grading: &Grading) -> String {
    match &grading.outcome {
        Ok(grade) => graded(grading, grade),
        Err(NoGrade(fault)) => output("result", &Runner::new("error", 0, vec![failed(fault)])),
    }
}

fn graded(grading: &Grading, grade: &Grade) -> String {
    let rows: Vec<&GradedRow> = grading.counted_rows().collect();
    let tests: Vec<Test> = rows.iter().map(|row| test(grading, row)).collect();
    let status = if grade.passed() { "pass" } else { "fail" };
    let all = Runner::new(status, grade.points.most, tests.clone());
    let all = Runner { premises: plain::premises(grading), ..all };
    let each = rows.iter().zip(tests).map(|(row, test)| {
        output(test.name, &Runner::new(test.status, row.max_points, vec![test]))
    });
    output("result", &all) + &each.collect::<String>()
}

impl Runner {
    fn new(status: &'static str, max_score: u32, tests: Vec<Test>) -> Self {
        Self { version: 1, status, max_score, tests, premises: Vec::new() }
    }
}

fn output(name: &str, runner: &Runner) -> String {
    format!(
        "{name}={}\n",
        BASE64_STANDARD.encode(visible::json(&serde_json::to_string(runner).unwrap_or_default()))
    )
}

/// Returns a test without points: the reporter shows its error and does not count it.
fn failed(fault: &str) -> Test {
    Test {
        name: "grading",
        status: "error",
        score: 0,
        message: format!("there is no grade: {}", plain::line(fault)),
        test_code: String::new(),
        filename: String::new(),
        line_no: 0,
        duration: 0,
    }
}

fn test(grading: &Grading, row: &GradedRow) -> Test {
    Test {
        name: row.verdict.check,
        status: if row.verdict.status == Status::Passed { "pass" } else { "fail" },
        score: row.points(),
        message: plain::message_for_students(grading, row).unwrap_or_default(),
        test_code: if grading.hides(row) {
            String::new()
        } else {
            plain::line(&grading.again(row.verdict.check))
        },
        filename: String::new(),
        line_no: 0,
        duration: row.verdict.took.as_millis(),
    }
}
