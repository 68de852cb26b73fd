//! A program into which the kernel does not let the harness look: on a system that shows no program,
//! and on one that shows all others.

use std::process::Command;

use serde_json::Value;

use crate::python_program;
use crate::support::{has, process, report};

/// Makes a right server into which only a process with CAP_SYS_PTRACE may look (prctl(2),
/// PR_SET_DUMPABLE).
fn hidden(listens: &str) -> String {
    format!("import ctypes\nctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n{listens}\nserve()")
}

/// Returns the harness without CAP_SYS_PTRACE, like root in most containers.
fn without_ptrace(words: &str) -> Command {
    let xtask = process(words);
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]);
    command.arg(xtask.get_program()).args(xtask.get_args());
    command.current_dir(crate::support::root());
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout == b"0\n")
}

/// Returns the report of a hidden server on a system that shows no program.
fn graded(listens: &str) -> Option<Value> {
    grade(&hidden(listens), "listens_on_given_address", "sight")
}

/// Grades a server in this check. `without` is what is left out of the confinement.
fn grade(server: &str, only: &str, without: &str) -> Option<Value> {
    let words = format!("grade echo --confine off --only {only}");
    let (_folder, program) = python_program(server)?;
    let mut command = match is_root() {
        true if !has("setpriv") => return None,
        true => without_ptrace(&words),
        false => process(&words),
    };
    command.env("SOCKET_PRACTICALS_WITHOUT", without);
    Some(report(assert_cmd::Command::from_std(command).arg(program)))
}

/// Checks that a server which hides fails where the system shows an ordinary program.
#[track_caller]
fn check_that_hiding_costs(server: &str) {
    let Some(report) = grade(server, "closes_after_client", "") else { return };
    let check = &report["checks"][0];
    let message = check["message"].as_str().unwrap_or_default();
    assert_eq!((&check["status"], &report["score"]), (&"failed".into(), &0.into()), "{report:#}");
    assert!(message.contains("your program hides from the grader"), "{message}");
}

#[test]
fn a_server_that_hides_from_the_beginning_fails() {
    check_that_hiding_costs(&hidden("listen()"));
}

#[test]
fn what_the_system_shows_of_no_program_does_not_count() {
    let Some(report) = grade(&hidden("listen()"), "closes_after_client", "sight") else { return };
    let message = report["checks"][0]["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("not counted: "), "{report:#}");
}

#[test]
fn a_server_that_hides_once_it_listens_fails() {
    let server = "import ctypes\nlisten()\ntime.sleep(0.3)\n\
                  ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\nserve()";
    check_that_hiding_costs(server);
}

#[test]
fn a_server_on_the_given_address_need_not_be_shown() {
    if let Some(report) = graded("listen()") {
        assert_eq!(report["checks"][0]["status"], "passed", "{report}");
    }
}

/// A server without SO_REUSEADDR has its address from bind on, and cannot be reached before listen.
#[test]
fn a_server_may_bind_long_before_it_listens() {
    let listens = "s = socket.socket(); s.bind((sys.argv[1], int(sys.argv[2]))); \
                   time.sleep(0.7); s.listen()";
    if let Some(report) = graded(listens) {
        assert_eq!(report["checks"][0]["status"], "passed", "{report}");
    }
}

/// A server with an address of its own, which is not shown, is not known to listen nowhere.
#[test]
fn a_server_that_is_not_shown_has_no_name_for_its_silence() {
    let Some(report) = graded("s.bind(('127.0.0.1', 0)); s.listen()") else { return };
    let message = report["checks"][0]["message"].as_str().unwrap_or_default();
    assert_eq!(report["mistakes"], serde_json::json!([]), "{report}");
    assert!(message.contains("this system does not show where else it listens"), "{message}");
}
