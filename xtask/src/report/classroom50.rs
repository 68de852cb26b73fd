//! Classroom 50's `result.json`. The format cannot express a fault: without a grade there is no
//! result, and the exit status says so.

use serde::Serialize;

use super::{plain, pretty};
use crate::grade::{GradedRow, Grading};

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Result<'a> {
    schema: &'static str,
    classroom: &'a str,
    assignment: &'a str,
    #[serde(rename = "assignment_type")]
    assignment_type: &'a str,
    owner: &'a str,
    submission: &'a str,
    commit: &'a str,
    release: &'a str,
    review: &'a str,
    datetime: &'a str,
    score: u32,
    max_score: u32,
    tests: Vec<Test>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Test {
    test_name: &'static str,
    passed: bool,
    score: u32,
    max_score: u32,
    group: &'static str,
    /// Here, because the result itself has no field for them.
    premises: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

pub(super) fn render(grading: &Grading) -> String {
    let (Ok(grade), Some(identity)) = (&grading.outcome, &grading.surroundings.identity) else {
        return String::new();
    };
    let result = Result {
        schema: "classroom50/result/v1",
        classroom: &identity.classroom,
        assignment: &identity.assignment,
        assignment_type: &identity.assignment_type,
        owner: &identity.owner,
        submission: &identity.submission,
        commit: &identity.commit,
        release: &identity.release,
        review: &identity.review,
        datetime: &identity.datetime,
        score: grade.points.earned,
        max_score: grade.points.most,
        tests: grading.counted_rows().map(|row| test(grading, row)).collect(),
    };
    pretty(&result)
}

fn test(grading: &Grading, row: &GradedRow) -> Test {
    Test {
        test_name: row.verdict.check,
        passed: row.points() == row.max_points,
        score: row.points(),
        max_score: row.max_points,
        group: row.group,
        premises: plain::premises(grading),
        message: plain::message_for_students(grading, row),
    }
}
