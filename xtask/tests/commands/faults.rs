//! Gradings without a grade: faults, what they write, and what they leave as it was.

use std::fs;

use serde_json::Value;

use crate::support::xtask;

/// Gradescope reads a file without a score as a failure of the autograder.
#[track_caller]
fn check_gradescope(words: &str, status: i32, says: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results.json");
    let mut grade = xtask(words);
    grade.arg("--report").arg(format!("gradescope={}", file.display())).assert().code(status);
    let results: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert!(results["output"].as_str().unwrap().contains(says), "{results}");
    assert!(results.get("score").is_none() && results.get("tests").is_none(), "{results}");
}

#[test]
fn gradescope_has_something_to_read_whatever_happens() {
    let check = check_gradescope;
    check("grade echo --submission /nowhere/at/all", 2, "there is no such folder");
    check("grade ecko", 2, "there is no practical");
    check("grade echo --only nothing", 2, "--only nothing");
    check("grade echo --report json=/no/such/folder/verdict.json", 2, "cut short");
    check("grade echo --report classroom50", 2, "Classroom 50's runner sets");
}

#[cfg(unix)]
#[test]
fn gradescope_has_something_to_read_of_a_grading_that_was_killed() {
    use crate::support::process;
    let Some((_server, program)) = crate::python_program("while True: time.sleep(0.05)") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results.json");
    let mut grade = process("grade echo --only echoes_short_message --report");
    grade.arg(format!("gradescope={}", file.display())).arg(program);
    let mut grading = crate::start(&mut grade);
    crate::soon("no file was promised", || file.exists());
    grading.kill().unwrap();
    grading.wait().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("There is no grade: the grading was cut short"), "{text}");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    use assert_cmd::Command;
    use predicates::prelude::*;
    use predicates::str::contains;

    use crate::python_program;
    use crate::support::xtask;

    /// Grades a program whose fixed address another program has.
    #[track_caller]
    fn grade_at_a_taken_address(options: &[String]) -> Option<assert_cmd::assert::Assert> {
        let occupant = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (_folder, program) = python_program("time.sleep(60)")?;
        let mut grade = xtask("grade echo --only echoes_short_message --confine off --address");
        grade.arg(occupant.local_addr().unwrap().to_string());
        grade.arg(program.replace(" {host} {port}", "")).args(options);
        Some(grade.assert().code(3))
    }

    #[test]
    fn what_listens_on_a_fixed_address_already_is_a_fault_not_a_failure() {
        let says = contains("something else listens on").and(contains("This costs no point."));
        grade_at_a_taken_address(&[]).map(|assert| assert.stdout(says));
    }

    #[test]
    fn a_fault_replaces_no_earlier_grade() {
        let folder = tempfile::tempdir().unwrap();
        let (earlier, new) = (folder.path().join("earlier.json"), folder.path().join("new.json"));
        fs::write(&earlier, "an earlier grade").unwrap();
        let reports = [("json", &earlier), ("gradescope", &new)];
        let reports = reports.map(|(format, file)| format!("--report={format}={}", file.display()));
        let Some(assert) = grade_at_a_taken_address(&reports) else { return };
        let says = "earlier.json is left as it was: this grading ended without a grade";
        assert.stderr(contains(says));

        assert_eq!(fs::read_to_string(&earlier).unwrap(), "an earlier grade");
        let text = fs::read_to_string(&new).unwrap();
        assert!(text.contains("echoes_short_message could not be found out"), "{text}");
    }

    /// When one report cannot be written, the others and the verdict on stdout still are.
    #[test]
    fn a_report_that_cannot_be_written_loses_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let _socket = UnixListener::bind(file("socket")).unwrap(); // cannot be opened
        let mut grade: Command = xtask("grade echo --solution --only listens_on_given_address");
        for (format, name) in [("json", "socket"), ("markdown", "a.md"), ("ctrf", "b.json")] {
            grade.arg(format!("--report={format}={}", file(name).display()));
        }
        let assert = grade.assert().code(3).stdout(contains("1 passed"));
        assert.stderr(contains("error: --report json="));
        for name in ["a.md", "b.json"] {
            assert!(!fs::read(file(name)).unwrap().is_empty(), "{name}");
        }
        let kind = fs::metadata(file("socket")).unwrap().file_type();
        assert!(!kind.is_file(), "a regular file has replaced the socket");
    }
}
