//! Where a program was stuck, as the report says it: real programs, from outside.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Where `verify` builds the mistakes, too.
fn mistakes() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let executable = Path::new(env!("CARGO_BIN_EXE_xtask"));
        let target = executable.ancestors().nth(2).unwrap().join("practicals/echo-verify/mistakes");
        let folder = root().join("practicals/echo/mistakes");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--target-dir"]).arg(&target).current_dir(folder);
        assert!(cargo.status().unwrap().success());
        target.join("debug")
    })
}

/// What each failed check of this group, or with this id, was blocked in.
fn blocked_in(program: &str, command: &str, only: &str) -> BTreeMap<String, String> {
    let program = format!("{program}={command} {{host}} {{port}}");
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .current_dir(root())
        .args(["grade", "echo", "--report", "json", "--program", &program, "--only", only])
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let failed = checks.iter().filter(|check| check["status"] == "failed");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    failed.map(|check| (text(&check["id"]), text(&check["blocked_in"]))).collect()
}

#[track_caller]
fn check_mistake(mistake: &str, check: &str, says: &[&str]) {
    let program = if mistake.starts_with("client_") { "echo_client" } else { "echo_server" };
    let command = mistakes().join(mistake);
    assert_says(&blocked_in(program, command.to_str().unwrap(), check), check, says);
}

#[track_caller]
fn assert_says(blocked_in: &BTreeMap<String, String>, check: &str, says: &[&str]) {
    let sentence = blocked_in.get(check).map(String::as_str).unwrap_or_default();
    assert!(says.iter().all(|part| sentence.contains(part)), "{check}: {sentence:?}");
}

/// With an event loop that `serve` leaves to.
#[track_caller]
fn check_python(serve: &str, says: &[&str]) {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: python3 is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.py");
    let head = "import os, select, selectors, socket, sys, threading, time\ns = socket.create_server((sys.argv[1], int(sys.argv[2])))\n";
    std::fs::write(&file, format!("{head}{serve}\n")).unwrap();
    let command = format!("python3 {}", file.display());
    let check = "echoes_short_message";
    assert_says(&blocked_in("echo_server", &command, check), check, says);
}

#[test]
fn a_server_for_one_client_at_a_time_leaves_the_next_waiting() {
    check_mistake(
        "one_client_at_a_time",
        "serves_clients_at_once",
        &[
            "blocked in recvfrom on the connection of client a, while client b, with 14 bytes unread, waits to be accepted",
        ],
    );
}

#[test]
fn a_server_that_reads_on_instead_of_answering_has_nothing_to_read() {
    for mistake in ["accepts_only", "waits_for_end"] {
        let says = "2 threads: one in accept4 on its listening socket, one in recvfrom on the connection of client a";
        check_mistake(mistake, "echoes_short_message", &[says]);
    }
}

#[test]
fn a_server_that_waits_for_a_short_read_is_told_with_the_smallest_message() {
    check_mistake(
        "stops_at_short_read",
        "echoes_every_size",
        &["one in recvfrom on the connection of client "],
    );
}

#[test]
fn a_client_that_waits_for_the_end_waits_for_the_server() {
    let says = "blocked in recvfrom on its connection to the server, with 0 bytes unread";
    check_mistake("client_waits_for_end", "client_prints_reply", &[says]);
}

#[test]
fn a_connection_that_is_never_closed_is_still_open() {
    let says = "the connection of client a is still open, though that client has ended its side";
    check_mistake(
        "never_closes",
        "flushes_before_close",
        &["blocked in accept4 on its listening socket; ", says],
    );
}

#[test]
fn an_event_loop_that_ignores_a_client_leaves_its_bytes_unread() {
    check_python(
        "loop = selectors.DefaultSelector(); loop.register(s, selectors.EVENT_READ); r, w = os.pipe(); loop.register(r, selectors.EVENT_READ)\nkept = []\nwhile True:\n    loop.select(); kept.append(s.accept()[0])",
        &[
            "blocked in epoll_wait on 2 descriptors, while 12 bytes from client a lie unread on a connection that it does not watch",
        ],
    );
    check_python(
        "kept = []\nwhile True:\n    select.select([s, 0], [], []); kept.append(s.accept()[0])",
        &[
            "on 2 descriptors, while 12 bytes from client a lie unread on a connection that it does not watch",
        ],
    );
}

#[test]
fn an_event_loop_that_has_read_everything_says_so() {
    check_python(
        "loop = selectors.DefaultSelector(); loop.register(s, selectors.EVENT_READ); c = s.accept()[0]; loop.register(c, selectors.EVENT_READ)\nwhile True:\n    loop.select(); c.recv(4096)",
        &["blocked in epoll_wait on 2 descriptors; nothing lies unread"],
    );
}

#[test]
fn a_program_that_spins_runs() {
    check_python(
        "c = s.accept()[0]\nwhile True: pass",
        &["running: it has used ", " s of processor time"],
    );
}

#[test]
fn a_program_that_sleeps_is_asleep() {
    check_python("c = s.accept()[0]\nc.recv(100); time.sleep(100)", &["asleep in clock_nanosleep"]);
}

#[test]
fn a_program_of_two_processes_says_what_each_does() {
    check_python(
        "c = s.accept()[0]\nif os.fork(): c.close(); os.wait()\nc.recv(100); c.recv(100)",
        &["2 processes: one in recvfrom on the connection of client a, one in wait4"],
    );
}

#[test]
fn a_program_that_waits_for_its_standard_input_says_so() {
    check_python(
        "os.read(0, 1)",
        &["blocked in read on standard input, while client a, with 12 bytes unread, waits"],
    );
}

#[test]
fn hundreds_of_threads_are_one_sentence() {
    check_python(
        "lock = threading.Lock(); lock.acquire()\nfor _ in range(300): threading.Thread(target=lock.acquire, daemon=True).start()\nc = s.accept()[0]\nc.recv(100); c.recv(100)",
        &["301 threads: one in recvfrom on the connection of client a, ", " in futex"],
    );
}

#[test]
fn what_was_only_a_pause_is_no_evidence() {
    let answers_upside_down =
        "c = s.accept()[0]\nwhile data := c.recv(100): c.sendall(data[::-1])\nc.close()";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.py");
    std::fs::write(
        &file,
        format!(
            "import socket, sys\ns = socket.create_server((sys.argv[1], int(sys.argv[2])))\n{answers_upside_down}\n"
        ),
    )
    .unwrap();
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: python3 is not installed");
        return;
    }
    let check = "echoes_message_after_message";
    let blocked_in = blocked_in("echo_server", &format!("python3 {}", file.display()), check);
    assert_eq!(blocked_in.get(check).map(String::as_str), Some(""));
}
