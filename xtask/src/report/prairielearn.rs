//! PrairieLearn's `results.json`. An attempt that is not gradable is not counted.

use serde::Serialize;
use serde_json::json;

use super::plain;
use crate::grade::{Grade, GradedRow};

#[derive(Serialize)]
struct Results {
    gradable: bool,
    /// A share of one.
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

pub(super) fn render(grade: &Grade) -> String {
    if let Some(fault) = grade.fault() {
        let message =
            format!("There is no grade, and this attempt does not count: {}", plain::line(&fault));
        let results = json!({ "gradable": false, "message": message, "format_errors": [message] });
        return serde_json::to_string_pretty(&results).unwrap_or_default() + "\n";
    }
    let mistakes =
        grade.mistakes_to_tell().into_iter().map(|mistake| plain::mistake(&mistake) + "\n");
    let results = Results {
        gradable: true,
        score: f64::from(grade.score()) / f64::from(grade.max_score()),
        message: format!("{} of {} points", grade.score(), grade.max_score()),
        output: mistakes.collect::<String>() + &plain::premises(grade).join("\n") + "\n",
        tests: grade.rows.iter().filter(|row| row.counts()).map(|row| test(grade, row)).collect(),
    };
    serde_json::to_string_pretty(&results).unwrap_or_default() + "\n"
}

fn test(grade: &Grade, row: &GradedRow) -> Test {
    Test {
        name: row.verdict.check,
        description: row.claim.clone(),
        points: row.points(),
        max_points: row.max_points,
        message: plain::message_for_students(grade, row).unwrap_or_default(),
        output: plain::full_for_students(grade, row),
    }
}
