//! Gradescope's `results.json`. A file without `score` and `tests` tells Gradescope that the
//! autograder failed: the submission then shows an error and no points.

use serde::Serialize;
use serde_json::json;
use suite::Status;

use super::{plain, pretty};
use crate::grade::{Grade, GradedRow, Grading, NoGrade, Points};

#[derive(Serialize)]
struct Results {
    score: u32,
    execution_time: f64,
    output: String,
    output_format: &'static str,
    test_output_format: &'static str,
    test_name_format: &'static str,
    stdout_visibility: &'static str,
    tests: Vec<Test>,
    extra_data: serde_json::Value,
}

#[derive(Serialize)]
struct Test {
    name: &'static str,
    score: u32,
    max_score: u32,
    /// Absent if the check does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    output: String,
    output_format: &'static str,
    tags: [&'static str; 2],
    visibility: &'static str,
}

pub(super) fn render(grading: &Grading) -> String {
    match &grading.outcome {
        Ok(grade) => graded(grading, grade),
        Err(NoGrade(fault)) => failed(fault),
    }
}

fn graded(grading: &Grading, grade: &Grade) -> String {
    let results = Results {
        score: grade.points.earned,
        execution_time: grading.duration.as_secs_f64(),
        output: overview(grading, grade),
        output_format: "text",
        test_output_format: "text",
        test_name_format: "text",
        stdout_visibility: "hidden",
        tests: grading.rows.iter().map(|row| test(grading, row)).collect(),
        extra_data: json!({ "practical": grading.practical, "seed": grading.seed, "max_score": grade.points.most }),
    };
    pretty(&results)
}

/// Returns the report that stands until there is a verdict, and that stays if the grader is killed.
pub(super) fn unfinished() -> String {
    failed("the grading was cut short before it had a result")
}

fn failed(fault: &str) -> String {
    let output = format!(
        "There is no grade: {}. This costs no point; please tell your instructor.",
        plain::line(fault)
    );
    let results =
        json!({ "output": output, "output_format": "text", "stdout_visibility": "hidden" });
    pretty(&results)
}

fn overview(grading: &Grading, grade: &Grade) -> String {
    let Points { earned, most } = grade.points;
    let score = format!("{}: {earned} of {most} points\n", plain::line(&grading.title));
    let mistakes = grading.mistakes_to_tell().into_iter();
    let mistakes = mistakes.map(|mistake| format!("\n{}\n", plain::mistake(&mistake)));
    score + &mistakes.collect::<String>() + "\n" + &plain::premises(grading).join("\n") + "\n"
}

fn test(grading: &Grading, row: &GradedRow) -> Test {
    let status = match row.verdict.status {
        Status::Passed => Some("passed"),
        Status::Unseen(_) | Status::Fault(_) => None,
        Status::Failed(_) | Status::Skipped(_) | Status::Unbuilt => Some("failed"),
    };
    Test {
        name: row.verdict.check,
        score: row.points(),
        max_score: if row.counts() { row.max_points } else { 0 },
        status,
        output: plain::full(grading, row),
        output_format: "text",
        tags: [row.group, row.program],
        visibility: if row.hidden { "hidden" } else { "visible" },
    }
}
