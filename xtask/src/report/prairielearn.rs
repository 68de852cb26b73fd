//! PrairieLearn's `results.json`. An attempt that is not gradable is not counted.

use serde::Serialize;
use serde_json::json;

use super::{plain, pretty};
use crate::grade::{Grade, GradedRow, Grading, NoGrade, Points};

#[derive(Serialize)]
struct Results {
    gradable: bool,
    /// Between 0 and 1.
    score: f64,
    message: String,
    output: String,
    tests: Vec<Test>,
}

#[derive(Serialize)]
struct Test {
    name: &'static str,
    description: String,
    points: u32,
    max_points: u32,
    message: String,
    output: String,
}

pub(super) fn render(grading: &Grading) -> String {
    match &grading.outcome {
        Ok(grade) => graded(grading, grade),
        Err(NoGrade(fault)) => no_grade(fault),
    }
}

fn no_grade(fault: &str) -> String {
    let message =
        format!("There is no grade, and this attempt does not count: {}", plain::line(fault));
    let results = json!({ "gradable": false, "message": message, "format_errors": [message] });
    pretty(&results)
}

fn graded(grading: &Grading, grade: &Grade) -> String {
    let Points { earned, most } = grade.points;
    let mistakes =
        grading.mistakes_to_tell().into_iter().map(|mistake| plain::mistake(&mistake) + "\n");
    let results = Results {
        gradable: true,
        score: f64::from(earned) / f64::from(most),
        message: format!("{earned} of {most} points"),
        output: mistakes.collect::<String>() + &plain::premises(grading).join("\n") + "\n",
        tests: grading.counted_rows().map(|row| test(grading, row)).collect(),
    };
    pretty(&results)
}

fn test(grading: &Grading, row: &GradedRow) -> Test {
    Test {
        name: row.verdict.check,
        description: plain::clean(&row.claim),
        points: row.points(),
        max_points: row.max_points,
        message: plain::message_for_students(grading, row).unwrap_or_default(),
        output: plain::full_for_students(grading, row),
    }
}
