//! The Common Test Report Format. It knows no points: they stand in `extra`.

use serde::Serialize;
use serde_json::{Value, json};
use suite::Status;

use super::plain;
use crate::grade::{Grade, GradedRow};

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

pub(super) fn render(grade: &Grade) -> String {
    let fault = grade.fault();
    let mut tests: Vec<Test> =
        grade.rows.iter().map(|row| test(grade, row, fault.is_some())).collect();
    if let Some(fault) = fault.as_ref().filter(|_| tests.is_empty()) {
        tests.push(nothing_graded(fault));
    }
    let extra = match &fault {
        Some(fault) => {
            json!({ "practical": grade.practical, "seed": grade.seed, "fault": plain::line(fault) })
        }
        None => json!({
            "practical": grade.practical, "seed": grade.seed,
            "score": grade.score(), "max_score": grade.max_score(), "passed": grade.passed(), "premises": plain::premises(grade),
        }),
    };
    let report = Report {
        report_format: "CTRF",
        spec_version: "1.0.0",
        results: Results {
            tool: json!({ "name": "cargo xtask grade", "version": env!("CARGO_PKG_VERSION") }),
            summary: summary(grade, &tests),
            tests,
            extra,
        },
    };
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

fn summary(grade: &Grade, tests: &[Test]) -> Summary {
    let count = |status: &str| tests.iter().filter(|test| test.status == status).count();
    let start = grade.surroundings.began.as_millis();
    Summary {
        tests: tests.len(),
        passed: count("passed"),
        failed: count("failed"),
        skipped: count("skipped"),
        pending: 0,
        other: count("other"),
        start,
        stop: start + grade.duration.as_millis(),
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

fn test(grade: &Grade, row: &GradedRow, fault: bool) -> Test {
    let spot = plain::spot_of_panic(grade, row);
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
        message: plain::message_for_students(grade, row),
        trace: match row.verdict.status {
            Status::Failed(_) | Status::Unbuilt => plain::full_for_students(grade, row),
            _ => String::new(),
        },
        file_path: spot.as_ref().map(|spot| spot.file.clone()),
        line: spot.map(|spot| spot.line),
        extra: if row.counts() && !fault { points } else { Value::Null },
    }
}
