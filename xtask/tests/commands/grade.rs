//! `grade`: what it prints, and what its JSON report holds.

use std::fs;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};

use crate::support::{echo, report, xtask};
use crate::{course, solution, source, unfinished_course};

/// What the solution earns. Two checks count only on Linux, which shows what they need.
const FULL_MARKS: &str = if cfg!(target_os = "linux") {
    "Score 100/100   31 passed"
} else {
    "Score 95/95   29 passed, 2 not counted"
};

#[test]
fn the_solution_gets_full_marks() {
    xtask("grade echo --solution").assert().code(0).stdout(contains(FULL_MARKS));
}

#[test]
fn the_skeleton_fails_everything_but_what_it_is_given() {
    if !fs::read_to_string(echo("echo_server/src/main.rs")).unwrap().contains("todo!(") {
        println!("skipped: the skeleton is already filled in");
        return;
    }
    let assert = xtask("grade echo --only echo_server --seed 7").assert().code(1);
    assert
        .stdout(contains("1 passed, 1 failed, 20 skipped"))
        .stdout(contains("This comes with the skeleton"))
        .stdout(contains("not yet implemented: steps 1 to 3"))
        .stdout(contains("in        practicals/echo/echo_server/src/main.rs:"))
        .stdout(contains("cargo xtask grade echo --only listens_on_given_address --seed 7"));
}

#[test]
fn the_report_fits_80_columns_and_has_no_colour_where_nobody_sees_it() {
    let course = unfinished_course();
    let output = xtask("grade echo --hint 9").current_dir(course.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\u{1b}'));
    // A command stands on one line, to be pasted.
    let is_long = |line: &&str| line.chars().count() > 80 && !line.contains("cargo xtask");
    let long: Vec<&str> = text.lines().filter(is_long).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn colour_can_be_forced_and_forbidden() {
    let mut grade = xtask("grade echo --solution --only reports_bad_arguments");
    grade.env("CLICOLOR_FORCE", "1").assert().stdout(contains("\u{1b}["));
    grade.env("NO_COLOR", "1").assert().stdout(contains("\u{1b}[").not());
}

#[test]
fn what_does_not_compile_shows_the_compilers_words_and_is_unbuilt() {
    let course = course();
    let broken = "fn main() {}\nfn broken() -> u8 { \"text\" }\n";
    fs::write(source(&course, "echo_server"), broken).unwrap();

    let mut grade = xtask("grade echo --report json");
    let assert = grade.current_dir(course.path()).assert().code(1);
    assert
        .stderr(contains("echo_server does not compile"))
        .stderr(contains("error[E0308]: mismatched types"))
        .stderr(contains("Next: make echo_server compile"))
        .stdout(contains("\"status\": \"unbuilt\"").and(contains("echo_server does not compile")));
}

#[test]
fn a_seed_gives_the_same_verdict_again() {
    let grade = || {
        let report = report(&mut xtask("grade echo --solution --only echo_client --seed 3"));
        let checks = report["checks"].as_array().unwrap().iter();
        checks.map(|check| [check["id"].clone(), check["status"].clone()]).collect::<Vec<_>>()
    };
    assert_eq!(grade(), grade());
}

#[test]
fn the_json_report_has_the_contracts_keys() {
    let course = unfinished_course();
    let file = course.path().join("verdict.json");
    let mut grade = xtask("grade echo --seed 5 --report");
    grade.arg(format!("json={}", file.display())).current_dir(course.path());
    grade.assert().code(1).stdout(contains("Score"));

    let report: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let expected = json!({"schema": 1, "practical": "echo", "seed": 5,
        "score": 0, "max_score": 100, "passed": false});
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(report[key], *value, "{key}");
    }
    has_the_keys_of_checks(report["checks"].as_array().unwrap());
}

fn has_the_keys_of_checks(checks: &[Value]) {
    let sum = |key: &str| checks.iter().map(|check| check[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((checks.len(), sum("points"), sum("max_points")), (31, 0, 100));
    let with = |status: &str| checks.iter().find(|check| check["status"] == status).unwrap();
    let (failed, skipped) = (with("failed"), with("skipped"));
    let message = failed["message"].as_str().unwrap();
    assert!(message.starts_with("expected a server that listens on 127.0.0.1:"), "{message}");
    assert!(failed["hint"].is_string() && failed["stderr_tail"].is_string());
    assert!(skipped.get("hint").is_none() && skipped.get("transcript").is_none());
}

#[test]
fn a_grading_tells_what_got_better_and_what_got_worse() {
    let course = unfinished_course();
    let grade = |only: &str| {
        let mut grade = xtask(&format!("grade echo {only}"));
        grade.current_dir(course.path()).assert()
    };
    let again = |says: &'static str| {
        grade("--only client_sends_exactly --only client_reports_refused").stdout(contains(says));
    };
    let main = source(&course, "echo_client");
    let unfinished = fs::read(&main).unwrap();
    grade("").code(1).stdout(contains("Since last time").not());
    again("Since last time: no change.");
    fs::copy(solution("echo_client"), &main).unwrap();
    again("Since last time: 4 points more. Better: client_sends_exactly,");
    fs::write(&main, "fn main() {").unwrap();
    again("Since last time: 4 points fewer. Passed last time, no result now:");
    fs::write(&main, unfinished).unwrap();
    again("Since last time: 4 points fewer. Worse: client_sends_exactly,");
}
