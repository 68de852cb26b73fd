//! `--report`: the files, what Classroom 50 asks for, and what a workflow's log must not obey.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use predicates::str::contains;
use serde_json::Value;

use crate::support::{root, xtask};
use crate::{course, refuses, source};

pub(crate) const FILES: &[(&str, &str)] = &[
    ("json", "verdict.json"),
    #[cfg(feature = "full")]
    ("junit", "junit.xml"),
    ("gradescope", "results.json"),
    ("classroom50", "result.json"),
    ("github-classroom", "outputs"),
    ("github", "log"),
    ("markdown", "comment.md"),
    ("html", "verdict.html"),
    ("ctrf", "ctrf.json"),
    ("prairielearn", "prairielearn.json"),
    ("autolab", "autolab.txt"),
    #[cfg(feature = "full")]
    ("pcapng", "verdict.pcapng"),
];

/// What Classroom 50's runner tells a step.
const CLASSROOM_50: [(&str, &str); 8] = [
    ("CLASSROOM", "sockets"),
    ("ASSIGNMENT", "echo"),
    ("ASSIGNMENT_TYPE", "individual"),
    ("USERNAME", "student"),
    ("SUBMISSION_TAG", "submit/1"),
    ("COMMIT_URL", "https://example.org/commit"),
    ("RELEASE_URL", "https://example.org/release"),
    ("REVIEW_URL", "https://example.org/review"),
];

/// Returns a grading that writes all reports.
fn grade_to_files(words: &str, folder: &Path) -> Command {
    let mut command = xtask(words);
    command.envs(CLASSROOM_50);
    for (format, file) in FILES {
        command.arg(format!("--report={format}={}", folder.join(file).display()));
    }
    command
}

#[test]
fn all_reports_are_written_in_one_run() {
    if !root().join(".git").exists() {
        println!("skipped: this is no checkout, so a commit has no date");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (summary, outputs) = (folder.path().join("summary.md"), folder.path().join("step-outputs"));
    fs::write(&outputs, "earlier=1\n").unwrap();
    let mut grade = grade_to_files("grade echo --solution --only echo_client", folder.path());
    grade.env("GITHUB_STEP_SUMMARY", &summary).env("GITHUB_OUTPUT", &outputs);
    grade.assert().code(0).stdout(contains("Score"));

    let text = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
    assert!(FILES.iter().all(|(_, file)| !fs::read(folder.path().join(file)).unwrap().is_empty()));
    let result: Value = serde_json::from_str(&text("result.json")).unwrap();
    assert_eq!((&result["owner"], &result["score"]), (&"student".into(), &result["max-score"]));
    assert_eq!(result["datetime"], date_of_the_commit());
    assert!(text("summary.md").starts_with("## ✅"));
    assert!(text("step-outputs").starts_with("earlier=1\nresult="));
}

fn date_of_the_commit() -> String {
    let mut git = Command::new("git");
    git.args(["show", "-s", "--format=%cd", "--date=format-local:%FT%TZ"]).env("TZ", "UTC");
    String::from_utf8_lossy(&git.unwrap().stdout).trim().to_owned()
}

#[test]
fn who_hands_in_is_asked_before_anything_is_graded() {
    #[track_caller]
    fn check(environment: &[(&str, &str)], says: &str) {
        let mut grade = xtask("grade echo --solution --report classroom50");
        refuses(grade.envs(environment.iter().copied()), says);
    }
    let names = "sets CLASSROOM, ASSIGNMENT, ASSIGNMENT_TYPE, OWNER or USERNAME, SUBMISSION_TAG";
    let with = |other| [&CLASSROOM_50[..], &[other]].concat();
    check(&[], names);
    check(&with(("SUBMISSION_TAG", "v1")), "begins with submit/");
    check(&with(("ASSIGNMENT_TYPE", "class")), "not individual, group or team");
}

/// Returns a grading in a step of GitHub's.
fn grade_in_a_step(words: &str) -> Command {
    let mut grade = xtask(words);
    grade.env("GITHUB_ACTIONS", "true");
    grade
}

fn said(command: &mut Command) -> [String; 2] {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn in_a_step_of_githubs_nothing_that_is_printed_is_obeyed() {
    let course = course();
    let hostile = "x\\n::error::you are hacked\\n##[add-mask]points";
    let main = format!("compile_error!(\"{hostile}\");\nfn main() {{}}\n");
    fs::write(source(&course, "echo_client"), main).unwrap();
    for report in ["", "--report github", "--report json"] {
        let (json, github) = (report.ends_with("json"), report.ends_with("github"));
        let mut grade = grade_in_a_step(&format!("grade echo --only echo_client {report}"));
        let [stdout, stderr] = said(grade.current_dir(course.path()));
        let shown = if json { &stderr } else { &stdout };
        let (_, rest) = shown.split_once("::stop-commands::").expect(shown);
        let (token, rest) = rest.split_once('\n').unwrap();
        let (inside, after) = rest.split_once(&format!("\n::{token}::\n")).expect(shown);
        assert!(token.len() == 32 && inside.contains("::error::you are hacked"), "{shown}");
        assert!(!after.contains("##[") || github, "{shown}");
        assert!(!stderr.contains("hacked") || json, "{stderr}");
    }
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::os::unix::fs::symlink;

    use serde_json::Value;

    use super::{FILES, grade_in_a_step, grade_to_files, said};
    use crate::python_program;
    use crate::support::{folder_with, has, xtask};

    /// The report names a refused file; the name must not become a command.
    #[test]
    fn in_a_step_of_githubs_a_name_is_no_command() {
        let manifest = ("echo_server/Cargo.toml", "[package]\nname = \"echo_server\"\n");
        let submission = folder_with(&[manifest, ("echo_server/src/main.rs", "fn main() {}\n")]);
        let name = "echo_server/src/a\n::error::you are hacked.rs";
        symlink("/etc/hostname", submission.path().join(name)).unwrap();
        let words = "grade echo --only echo_server --report github --submission";
        let [stdout, stderr] = said(grade_in_a_step(words).arg(submission.path()));
        assert!(stdout.contains("::error::you are hacked"), "{stdout}");
        let is_command = |line: &str| line.trim_start().starts_with("::error::you are hacked");
        assert!(!stdout.lines().chain(stderr.lines()).any(is_command), "{stdout}{stderr}");
    }

    #[test]
    fn a_report_through_a_link_leaves_the_link() {
        let folder = folder_with(&[("file", "old")]);
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        symlink(&file, &link).unwrap();
        let mut grade = xtask("grade echo --solution --only listens_on_given_address");
        grade.arg(format!("--report=json={}", link.display())).assert().code(0);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&file).unwrap().starts_with('{'));
    }

    /// What the server prints, as an expression in Python.
    const HOSTILE: &str = r#"(
        b'\n::error::hacked\n::set-output name=result::forged\n::add-mask::points\n'
        b'::stop-commands::0\n\x1b[2J\xff\xfe]]>\nScore 100/100   31 passed\n{"score": 100}\n'
        + b'x' * 50_000_000 +
        b'\n::error::hacked\n</script><script>alert(1)</script>\n')"#;

    /// A right program and a wrong one get the same score whatever they print.
    #[test]
    fn what_a_program_prints_changes_nothing_in_any_report() {
        if !has("python3") {
            return;
        }
        for (reply, status) in [("data", 0), ("data[:-1]", 1)] {
            let [quiet, loud] = ["b''", HOSTILE].map(|says| all_reports(says, reply, status));
            let score =
                |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap()["score"].clone();
            assert_eq!(score(&quiet[0]), score(&loud[0]));
            let shown = String::from_utf8_lossy(&loud[0]).contains("hacked");
            assert_eq!(shown, status == 1, "what the program said is evidence where it failed");
            let texts = FILES.iter().zip(&loud).filter(|((format, _), _)| *format != "pcapng");
            for ((format, _), text) in texts {
                assert!(text.len() < 200_000, "{format}: {} bytes", text.len());
                assert!(!text.contains(&0x1b) && std::str::from_utf8(text).is_ok(), "{format}");
            }
        }
    }

    /// Grades a server that prints `says` for each client and sends `reply`; returns all reports.
    fn all_reports(says: &str, reply: &str, status: i32) -> Vec<Vec<u8>> {
        let server = format!(
            "
            listen()
            while True:
                c, _ = s.accept()
                for out in (sys.stdout.buffer, sys.stderr.buffer): out.write({says}); out.flush()
                while data := c.recv(4096):
                    c.sendall({reply})
                c.close()"
        );
        let (_server, program) = python_program(&server).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut grade = grade_to_files("grade echo --only echoes_short_message", folder.path());
        grade.arg(program).assert().code(status);
        FILES.iter().map(|(_, file)| fs::read(folder.path().join(file)).unwrap()).collect()
    }
}
