//! `blocked_in`: where a real program was stuck, as the report says it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::python_program;
use crate::support::{echo, program, report, xtask};

/// Builds the mistakes where `verify` builds them, too.
fn mistakes() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let executable = Path::new(env!("CARGO_BIN_EXE_xtask"));
        let target = executable.ancestors().nth(2).unwrap().join("practicals/echo-verify/mistakes");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--target-dir"]).arg(&target).current_dir(echo("mistakes"));
        assert!(cargo.status().unwrap().success());
        target.join("debug")
    })
}

/// Returns for each failed check of this id or group where the program was stuck.
fn blocked_in(program: &str, only: &str) -> BTreeMap<String, String> {
    let report = report(xtask("grade echo --only").args([only, program]));
    let failed =
        report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "failed");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    failed.map(|check| (text(&check["id"]), text(&check["blocked_in"]))).collect()
}

#[track_caller]
fn check(program: &str, id: &str, says: &[&str]) {
    let blocked_in = blocked_in(program, id);
    let sentence = blocked_in.get(id).map(String::as_str).unwrap_or_default();
    assert!(says.iter().all(|part| sentence.contains(part)), "{id}: {sentence:?}");
}

#[track_caller]
fn check_mistake(mistake: &str, id: &str, says: &[&str]) {
    let name = if mistake.starts_with("client_") { "echo_client" } else { "echo_server" };
    check(&program(name, mistakes().join(mistake).display()), id, says);
}

/// Checks a server in Python.
#[track_caller]
fn check_python(server: &str, says: &[&str]) {
    if let Some((_folder, program)) = python_program(server) {
        check(&program, "echoes_short_message", says);
    }
}

#[test]
fn a_server_for_one_client_at_a_time_leaves_the_next_waiting() {
    let says = "blocked in recvfrom on the connection of client a, while client b, with 14 bytes \
        unread, waits to be accepted";
    check_mistake("one_client_at_a_time", "serves_clients_at_once", &[says]);
}

#[test]
fn a_server_that_reads_on_instead_of_answering_has_nothing_to_read() {
    let says = "2 threads: one in accept4 on its listening socket, one in recvfrom on the \
        connection of client a";
    check_mistake("accepts_only", "echoes_short_message", &[says]);
    check_mistake("waits_for_end", "echoes_short_message", &[says]);
}

#[test]
fn a_server_that_waits_for_a_short_read_is_told_with_the_smallest_message() {
    let says = "one in recvfrom on the connection of client ";
    check_mistake("stops_at_short_read", "echoes_every_size", &[says]);
}

#[test]
fn a_client_that_waits_for_the_end_waits_for_the_server() {
    let says = "blocked in recvfrom on its connection to the server, with 0 bytes unread";
    check_mistake("client_waits_for_end", "client_prints_reply", &[says]);
}

#[test]
fn a_connection_that_is_never_closed_is_still_open() {
    let blocked = "blocked in accept4 on its listening socket; ";
    let open = "the connection of client a is still open, although that client has ended its side";
    check_mistake("never_closes", "flushes_before_close", &[blocked, open]);
}

#[test]
fn an_event_loop_that_ignores_a_client_leaves_its_bytes_unread() {
    let says = "on 2 descriptors, while 12 bytes from client a are unread on a connection that it \
        does not watch";
    let epoll = "
        listen()
        r, w = os.pipe()
        loop = selectors.DefaultSelector()
        loop.register(s, selectors.EVENT_READ); loop.register(r, selectors.EVENT_READ)
        kept = []
        while True:
            loop.select(); kept.append(s.accept()[0])";
    check_python(epoll, &["blocked in epoll_wait ", says]);
    let select = "
        listen()
        kept = []
        while True:
            select.select([s, 0], [], []); kept.append(s.accept()[0])";
    check_python(select, &[says]);
}

#[test]
fn an_event_loop_that_has_read_everything_says_so() {
    let server = "
        listen()
        loop = selectors.DefaultSelector()
        loop.register(s, selectors.EVENT_READ)
        c = s.accept()[0]
        loop.register(c, selectors.EVENT_READ)
        while True:
            loop.select(); c.recv(4096)";
    check_python(server, &["blocked in epoll_wait on 2 descriptors; no bytes are unread"]);
}

#[test]
fn a_program_that_spins_runs() {
    let says = ["running: it has used ", " s of processor time"];
    check_python("listen(); c = s.accept()[0]\nwhile True: pass", &says);
}

#[test]
fn a_program_that_sleeps_is_asleep() {
    let server = "listen(); c = s.accept()[0]; c.recv(100); time.sleep(100)";
    check_python(server, &["asleep in clock_nanosleep"]);
}

#[test]
fn a_program_of_two_processes_says_what_each_does() {
    let server = "
        listen(); c = s.accept()[0]
        if os.fork(): c.close(); os.wait()
        c.recv(100); c.recv(100)";
    let says = "2 processes: one in recvfrom on the connection of client a, one in wait4";
    check_python(server, &[says]);
}

#[test]
fn a_program_that_waits_for_its_standard_input_says_so() {
    let says = "blocked in read on standard input, while client a, with 12 bytes unread, waits";
    check_python("listen(); os.read(0, 1)", &[says]);
}

#[test]
fn hundreds_of_threads_are_one_sentence() {
    let server = "
        listen()
        lock = threading.Lock(); lock.acquire()
        for _ in range(300): threading.Thread(target=lock.acquire, daemon=True).start()
        c = s.accept()[0]
        c.recv(100); c.recv(100)";
    let says = "301 threads: one in recvfrom on the connection of client a, ";
    check_python(server, &[says, " in futex"]);
}

#[test]
fn what_was_only_a_pause_is_no_evidence() {
    let answers_upside_down = "
        listen(); c = s.accept()[0]
        while data := c.recv(100): c.sendall(data[::-1])
        c.close()";
    let Some((_folder, program)) = python_program(answers_upside_down) else { return };
    let id = "echoes_message_after_message";
    assert_eq!(blocked_in(&program, id).get(id).map(String::as_str), Some(""));
}
