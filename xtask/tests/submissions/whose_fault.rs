//! Whose fault it is: what a submission can bring about costs its points, and is never a fault of
//! the grader's.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{folder_with, grade, has, python, report};

/// Each of these makefiles leaves a file that the system does not execute.
const NOT_EXECUTED: [(&str, &str); 4] = [
    ("interpreter", "\tcc -o echo_server main.c -Wl,--dynamic-linker=/nowhere/ld.so\n"),
    ("no program", "\tprintf 'no program' > echo_server; chmod +x echo_server\n"),
    ("os error", "\tcc -o whole main.c; head -c 700 whole > echo_server; chmod +x echo_server\n"),
    ("interpreter", "\tprintf '#!/nowhere\\n' > echo_server; chmod +x echo_server\n"),
];

fn made_by(recipe: &str) -> TempDir {
    let makefile = format!("echo_server: main.c\n{recipe}");
    folder_with(&[
        ("echo_server/Makefile", &makefile),
        ("echo_server/main.c", "int main(void) { return 0; }\n"),
    ])
}

/// Returns the first check of this report, as its status and its message.
fn first(report: &Value) -> (String, String) {
    let check = &report["checks"][0];
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    (text("status"), text("message"))
}

#[test]
fn a_file_that_the_system_does_not_execute_costs_the_points_in_every_tier() {
    if !has("cc") || !has("make") {
        return;
    }
    for tier in ["auto", "off"] {
        for (says, recipe) in NOT_EXECUTED {
            let folder = made_by(recipe);
            let words = format!("--only exactness --confine {tier}");
            let report = report(&mut grade(&words, folder.path()));
            let (status, message) = first(&report);
            assert_eq!(status, "failed", "{tier}, {recipe}: {report:#}");
            assert!(message.contains(says), "{tier}, {recipe}: {message}");
            assert_eq!((&report["score"], &report["max_score"]), (&0.into(), &24.into()), "{tier}");
        }
    }
}

/// This server replies within the time of the contract, but not within its budget.
const SLOW: &str = "
    listen()
    while True:
        c = s.accept()[0]
        while data := c.recv(65536):
            time.sleep(0.5)
            c.sendall(data)
        c.close()";

#[test]
fn a_check_that_is_not_done_within_the_budget_fails_and_says_so() {
    if !has("python3") {
        return;
    }
    let folder = folder_with(&[("echo_server.py", &python(SLOW))]);
    let words = "--only echoes_every_size --only echoes_every_byte_value --jobs 1 --budget 2";
    let report = report(&mut grade(words, folder.path()));
    let (status, message) = first(&report);
    assert_eq!(status, "failed", "{report:#}");
    assert!(
        message.contains("out of time: 2 s had passed before this check had ended"),
        "{message}"
    );
    let second = &report["checks"][1];
    let says = second["message"].as_str().unwrap();
    assert!(says.contains("out of time: 2 s had passed before this check began"), "{says}");
    assert_eq!(report["mistakes"].as_array().map(Vec::len), Some(0), "{report:#}");
    assert_eq!(report["max_score"], 11, "{report:#}");
}

#[test]
fn a_build_that_is_not_done_within_the_budget_costs_the_points() {
    if !has("make") {
        return;
    }
    let folder = folder_with(&[("echo_server/Makefile", "echo_server:\n\tsleep 60\n")]);
    let report = report(&mut grade("--only echoes_short_message --budget 1", folder.path()));
    assert_eq!(first(&report).0, "unbuilt", "{report:#}");
    assert!(
        report.to_string().contains("what was left of the 1 s for the submission"),
        "{report:#}"
    );
    assert_eq!((&report["score"], &report["max_score"]), (&0.into(), &6.into()));
}
