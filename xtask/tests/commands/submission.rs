//! `grade --submission`: where it finds the programs, and that it keeps submissions apart.

use std::fs;

use crate::support::{echo, folder_with, grade};
use crate::{UNFINISHED, copy, solution};

#[test]
fn a_submission_is_found_where_students_put_it() {
    for place in ["practicals/echo", "20-practical", "."] {
        let submission = tempfile::tempdir().unwrap();
        copy(&echo("solution"), &submission.path().join(place));
        let only = "--only echoes_short_message --only client_prints_reply";
        grade(only, &submission).assert().code(0);
    }
}

/// Two submissions with the same package name must never share what was built.
#[test]
fn two_submissions_are_not_mixed() {
    let manifest = fs::read_to_string(echo("solution/echo_server/Cargo.toml")).unwrap();
    let submission = |main: &str| {
        folder_with(&[("echo_server/Cargo.toml", &manifest), ("echo_server/src/main.rs", main)])
    };
    let right = submission(&fs::read_to_string(solution("echo_server")).unwrap());
    let wrong = submission(UNFINISHED);
    for (submission, status) in [(&right, 0), (&wrong, 1), (&right, 0)] {
        grade("--only echoes_short_message", submission).assert().code(status);
    }
}
