//! Programs that are not written yet, and programs that never get so far as to listen or connect.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::course;
use crate::source;
use crate::support::{echo, folder_with, report, root, xtask};

/// Returns the checks with this status.
fn with_status<'a>(report: &'a Value, status: &str) -> Vec<&'a Value> {
    report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == status).collect()
}

fn ids(checks: &[&Value]) -> Vec<String> {
    checks.iter().map(|check| check["id"].as_str().unwrap().to_owned()).collect()
}

/// Checks that this check alone failed, that no mistake is named, and what the report says.
#[track_caller]
fn only_failed<'a>(report: &'a Value, id: &str) -> &'a Value {
    let failed = with_status(report, "failed");
    assert_eq!(ids(&failed), [id], "{report:#}");
    assert_eq!(report["mistakes"], json!([]));
    failed[0]
}

#[track_caller]
fn is_unwritten(check: &Value, step: &str, place: &str) {
    let unwritten = check["unwritten"].as_str().unwrap_or_default();
    assert!(unwritten.starts_with(step), "{check:#}");
    assert!(check["message"].as_str().unwrap().ends_with(place), "{check:#}");
    assert!(check["hint"].as_str().unwrap().starts_with(&format!("write {step}")), "{check:#}");
    assert_eq!(check.get("mistake"), None);
}

/// Checks that an untouched program is told its first step, unless a student has begun with it.
#[track_caller]
fn is_untouched(practical: &str, program: &str, step: &str) {
    let file = format!("practicals/{practical}/{program}/src/main.rs");
    let text = fs::read_to_string(root().join(&file)).unwrap();
    let at = text.lines().position(|line| line.contains("todo!("));
    let Some(at) = at.filter(|_| text.contains(&format!("\"{step}"))) else { return };
    let report = report(&mut xtask(&format!("grade {practical} --only {program}")));
    let failed = with_status(&report, "failed");
    let own: Vec<&Value> = failed.into_iter().filter(|check| check["program"] == program).collect();
    assert_eq!(own.len(), 1, "{report:#}");
    assert_eq!(report["mistakes"], json!([]));
    is_unwritten(own[0], step, &format!("{file}:{}", at + 1));
}

#[test]
fn an_untouched_skeleton_is_told_its_first_step() {
    is_untouched("echo", "echo_server", "steps 1 to 3");
    is_untouched("echo", "echo_client", "steps 4 and 5");
    is_untouched("framing", "framed_server", "steps 1 to 3");
    is_untouched("multiconn", "multiconn_server", "steps 1 to 3");
    is_untouched("multiconn", "multiconn_client", "steps 4 and 5");
}

/// Returns a course whose server has only begun.
fn begun(written: &[(&str, &str)]) -> TempDir {
    let course = course();
    let file = source(&course, "echo_server");
    fs::write(&file, skeleton(written)).unwrap();
    course
}

fn skeleton(written: &[(&str, &str)]) -> String {
    let begin = "use std::net::{TcpListener, TcpStream};\n\
                 fn main() {\n    let [_, host, port] = &std::env::args().collect::<Vec<_>>()[..] else { todo!() };\n    \
                 let Ok(port) = port.parse::<u16>() else {\n        eprintln!(\"usage: …\");\n        \
                 std::process::exit(2)\n    };\n    serve(listen(host, port));\n}\n\
                 fn listen(host: &str, port: u16) -> TcpListener {\n    LISTEN\n}\n\
                 fn serve(listener: TcpListener) {\n    SERVE\n}\n\
                 #[allow(dead_code)]\nfn echo(client: TcpStream) {\n    ECHO\n}\n";
    let steps = [
        ("LISTEN", "todo!(\"steps 1 to 3: listen on {host} {port}\")"),
        ("SERVE", "todo!(\"step 6: accept on {listener:?}\")"),
        ("ECHO", "todo!(\"steps 7 to 9: echo {client:?}\")"),
    ];
    let text = written.iter().fold(begin.to_owned(), |text, (at, code)| text.replace(at, code));
    steps.iter().fold(text, |text, (at, code)| text.replace(at, code))
}

const LISTENS: (&str, &str) = ("LISTEN", "TcpListener::bind((host, port)).unwrap()");
const ACCEPTS: (&str, &str) = (
    "SERVE",
    "for client in listener.incoming().flatten() { std::thread::spawn(|| echo(client)); }",
);

#[track_caller]
fn check_begun(written: &[(&str, &str)], id: &str, step: &str, line: usize) {
    let course = begun(written);
    let mut grade = xtask("grade echo --only flow --only exactness --only reports_bad_arguments");
    let report = report(grade.current_dir(course.path()));
    let place = format!("practicals/echo/echo_server/src/main.rs:{line}");
    is_unwritten(only_failed(&report, id), step, &place);
    let passed = ids(&with_status(&report, "passed"));
    assert!(passed.contains(&"reports_bad_arguments".to_owned()), "{passed:?}");
}

#[test]
fn the_next_step_is_the_first_that_is_not_written() {
    check_begun(&[], "listens_on_given_address", "steps 1 to 3: listen on ", 11);
    check_begun(&[LISTENS], "listens_on_given_address", "step 6: accept on ", 14);
    check_begun(&[LISTENS, ACCEPTS], "echoes_short_message", "steps 7 to 9: echo ", 18);
}

#[cfg(unix)]
mod commands {
    use std::process::Command;
    use std::time::Instant;

    use super::*;
    use crate::python_program;
    use crate::support::{has, program};

    /// Grades a program in one file, and returns its report.
    fn grade(name: &str, interpreter: &str, file: &str, text: &str) -> Option<(TempDir, Value)> {
        let folder = folder_with(&[(file, text)]);
        let place = folder.path().join(file);
        let program = program(name, format!("{interpreter} {}", place.display()));
        let mut grade = xtask(&format!("grade echo --seed 1 --only {name}"));
        has(interpreter).then(|| (folder, report(grade.arg(program))))
    }

    /// Checks that nothing but the end of the first start is told, with these words on stderr.
    #[track_caller]
    fn never_starts(name: &str, interpreter: &str, file: &str, text: &str, says: &[&str]) {
        let Some((_folder, report)) = grade(name, interpreter, file, text) else { return };
        let id = match name {
            "echo_server" => "listens_on_given_address",
            _ => "client_sends_exactly",
        };
        let failed = only_failed(&report, id);
        assert_eq!(with_status(&report, "passed"), Vec::<&Value>::new(), "{report:#}");
        let needs = format!("not run: {id} must pass first");
        let skipped = with_status(&report, "skipped");
        assert!(skipped.iter().all(|check| check["message"] == needs), "{report:#}");
        let said = failed["stderr_tail"].as_str().unwrap_or_default();
        assert!(says.iter().all(|words| said.contains(words)), "{said}");
    }

    #[test]
    fn a_program_that_cannot_start_is_told_once() {
        let import = "import sys\nimport no_such_module\n";
        let says = ["line 2", "No module named 'no_such_module'"];
        never_starts("echo_server", "python3", "server.py", import, &says);
        never_starts("echo_client", "python3", "client.py", import, &says);
        let require = "const all = require('no-such-package');\n";
        let says = ["Cannot find module 'no-such-package'"];
        never_starts("echo_server", "node", "server.js", require, &says);
        never_starts("echo_client", "node", "client.js", require, &says);
        never_starts("echo_server", "sh", "server.sh", "kill -SEGV $$\n", &[]);
        never_starts("echo_client", "sh", "client.sh", "", &[]);
    }

    #[test]
    fn the_report_shows_the_error_and_not_the_stack() {
        let folder = folder_with(&[("server.js", "\nconst all = require('no-such-package');\n")]);
        let place = folder.path().join("server.js");
        if !has("node") {
            return;
        }
        let program = program("echo_server", format!("node {}", place.display()));
        let output = xtask("grade echo --only echo_server").arg(program).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("| Error: Cannot find module 'no-such-package'"), "{text}");
        assert!(!text.contains("Node.js v"), "{text}");
    }

    #[test]
    fn pythons_error_for_what_is_not_written_is_a_step() {
        let thread = "
            listen()
            def echo(c): raise NotImplementedError('steps 7 to 9: echo')
            serve()";
        let Some((folder, program)) = python_program(thread) else { return };
        let report = report(xtask("grade echo --only flow --only exactness").arg(program));
        let place = format!("{}/server.py:14", folder.path().display());
        is_unwritten(only_failed(&report, "echoes_short_message"), "steps 7 to 9: echo", &place);
    }

    /// The client works in one of two ways: it is judged by each check.
    #[test]
    fn a_client_that_connects_sometimes_is_judged_by_each_check() {
        let text = "import socket, sys\n\
                    if len(sys.argv) > 3: sys.exit('usage: HOST PORT')\n\
                    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as s:\n    \
                        line = sys.stdin.readline().rstrip('\\r\\n').encode()\n    \
                        s.sendall(line)\n    got = b''\n    \
                        while len(got) < len(line): got += s.recv(100)\n    \
                        print(got.decode())\n";
        let Some((_folder, report)) = grade("echo_client", "python3", "client.py", text) else {
            return;
        };
        assert_eq!(with_status(&report, "failed")[0]["id"], "client_sends_exactly");
        let passed = ids(&with_status(&report, "passed"));
        assert!(passed.contains(&"client_reads_line_from_stdin".to_owned()), "{passed:?}");
    }

    #[test]
    fn a_program_that_floods_and_never_listens_is_over_soon() {
        let began = Instant::now();
        let Some((_folder, report)) =
            grade("echo_server", "python3", "server.py", "while True: print('sent')\n")
        else {
            return;
        };
        assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
        assert_eq!(ids(&with_status(&report, "failed")), ["listens_on_given_address"]);
        assert_eq!(report["mistakes"][0]["id"], "never_listens");
    }

    /// The keeper ends a program that forks without end; that is not the program's own end.
    #[test]
    #[cfg(target_os = "linux")]
    fn what_the_grader_ends_is_not_told_as_an_end_by_itself() {
        let Some((_folder, report)) = grade(
            "echo_server",
            "python3",
            "server.py",
            "import time, threading\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()\n",
        ) else {
            return;
        };
        let failed = only_failed(&report, "listens_on_given_address");
        let message = failed["message"].as_str().unwrap();
        assert!(message.contains("your server was ended by the grader for using more than"));
        assert!(!message.contains("stopped"), "{message}");
    }

    #[test]
    fn a_c_program_that_crashes_at_once_is_told_once() {
        if !has("cc") {
            return;
        }
        let text = "int main(void) { volatile int *nowhere = 0; return *nowhere; }\n";
        let folder = folder_with(&[("server.c", text)]);
        let executable = folder.path().join("server");
        let mut cc = Command::new("cc");
        cc.arg("-o").arg(&executable).arg(folder.path().join("server.c"));
        assert!(cc.status().unwrap().success());
        let program = program("echo_server", executable.display());
        let report = report(xtask("grade echo --only echo_server").arg(program));
        let failed = only_failed(&report, "listens_on_given_address");
        assert!(failed["message"].as_str().unwrap().contains("SIGSEGV"), "{failed:#}");
    }
}

#[test]
fn a_submission_is_named_as_it_was_given() {
    if !echo("echo_server/Cargo.toml").is_file() {
        return;
    }
    let manifest = fs::read_to_string(echo("echo_server/Cargo.toml")).unwrap();
    let folder = folder_with(&[
        ("alice/echo_server/Cargo.toml", &manifest),
        ("alice/echo_server/src/main.rs", &skeleton(&[])),
    ]);
    let place = folder.path().join("alice");
    let report =
        report(xtask("grade echo --only listens_on_given_address --submission").arg(&place));
    let shown = place.join("echo_server/src/main.rs:11");
    is_unwritten(
        only_failed(&report, "listens_on_given_address"),
        "steps 1 to 3",
        &shown.display().to_string(),
    );
}
