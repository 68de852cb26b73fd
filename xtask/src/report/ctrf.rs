//! The Common Test Report Format. It has no points, so they are in `extra`.

use serde::Serialize;
use serde_json::{Value, json};
use suite::Status;

use super::{plain, pretty};
use crate::grade::{GradedRow, Grading, NoGrade};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    report_format: &'static str,
    spec_version: &'static str,
    results: Results,
}

#[derive(Serialize)]
struct Results {
    tool: Value,
    summary: Summary,
    tests: Vec<Test>,
    extra: Value,
}

#[derive(Serialize, Default)]
struct Summary {
    tests: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
    pending: usize,
    other: usize,
    start: u128,
    stop: u128,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    name: &'static str,
    status: &'static str,
    duration: u128,
    suite: Vec<&'static str>,
    raw_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    trace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Value::is_null")]
    extra: Value,
}

pub(super) fn render(grading: &Grading) -> String {
    let tests = tests(grading);
    let report = Report {
        report_format: "CTRF",
        spec_version: "1.0.0",
        results: Results {
            tool: json!({ "name": "cargo xtask grade", "version": env!("CARGO_PKG_VERSION") }),
            summary: summary(grading, &tests),
            tests,
            extra: extra(grading),
        },
    };
    pretty(&report)
}

fn tests(grading: &Grading) -> Vec<Test> {
    match &grading.outcome {
        Err(NoGrade(fault)) if grading.rows.is_empty() => vec![nothing_graded(fault)],
        _ => grading.rows.iter().map(|row| test(grading, row)).collect(),
    }
}

fn extra(grading: &Grading) -> Value {
    match &grading.outcome {
        Err(NoGrade(fault)) => {
            json!({ "practical": grading.practical, "seed": grading.seed, "fault": plain::line(fault) })
        }
        Ok(grade) => json!({
            "practical": grading.practical, "seed": grading.seed,
            "score": grade.points.earned, "max_score": grade.points.most, "passed": grade.passed(),
            "premises": plain::premises(grading),
        }),
    }
}

fn summary(grading: &Grading, tests: &[Test]) -> Summary {
    let count = |status: &str| tests.iter().filter(|test| test.status == status).count();
    let start = grading.surroundings.began.as_millis();
    Summary {
        tests: tests.len(),
        passed: count("passed"),
        failed: count("failed"),
        skipped: count("skipped"),
        pending: 0,
        other: count("other"),
        start,
        stop: start + grading.duration.as_millis(),
    }
}

fn nothing_graded(fault: &str) -> Test {
    Test {
        name: "grading",
        status: "other",
        duration: 0,
        suite: vec!["grading"],
        raw_status: "fault",
        message: Some(plain::line(fault)),
        trace: String::new(),
        file_path: None,
        line: None,
        extra: Value::Null,
    }
}

fn test(grading: &Grading, row: &GradedRow) -> Test {
    let spot = plain::spot_of_panic(grading, row);
    let points = json!({ "score": row.points(), "max_score": row.max_points });
    Test {
        name: row.verdict.check,
        status: match row.verdict.status {
            Status::Passed => "passed",
            Status::Failed(_) | Status::Unbuilt => "failed",
            Status::Skipped(_) | Status::Unseen(_) => "skipped",
            Status::Fault(_) => "other",
        },
        duration: row.verdict.took.as_millis(),
        suite: vec![row.program, row.group],
        raw_status: plain::status(&row.verdict.status),
        message: plain::message_for_students(grading, row),
        trace: match row.verdict.status {
            Status::Failed(_) | Status::Unbuilt => plain::full_for_students(grading, row),
            _ => String::new(),
        },
        file_path: spot.as_ref().map(|spot| spot.file.clone()),
        line: spot.map(|spot| spot.line),
        extra: if row.counts() && grading.outcome.is_ok() { points } else { Value::Null },
    }
}
