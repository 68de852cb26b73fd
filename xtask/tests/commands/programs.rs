//! `grade --program`: programs in other languages, and servers that are odd but right.

use predicates::str::contains;

use crate::python_program;
use crate::support::{c_server, has, program, xtask};

const FULL_MARKS_OF_A_SERVER: &str =
    if cfg!(target_os = "linux") { "22 passed" } else { "20 passed, 2 not counted" };

#[test]
fn a_program_in_another_language_is_graded_by_its_command_line() {
    let script = "python3 practicals/echo/mistakes/other_languages/echo_server.py";
    if has("python3") {
        gets_full_marks(&program("echo_server", script));
    }
}

#[test]
fn a_compiled_c_program_is_graded_by_its_command_line() {
    if let Some((_folder, program)) = c_server() {
        gets_full_marks(&program);
    }
}

#[track_caller]
fn gets_full_marks(program: &str) {
    let assert = xtask("grade echo --only echo_server").arg(program).assert();
    assert.code(0).stdout(contains(FULL_MARKS_OF_A_SERVER));
}

const CLIENT: &str = "python3 practicals/echo/mistakes/other_languages/echo_client.py";
const SERVER: &str = "python3 practicals/echo/mistakes/other_languages/echo_server.py";

/// Grades programs whose address is 127.0.0.1:10000, whatever the harness would like.
#[track_caller]
fn check_fixed(options: &str, programs: &[String], says: &'static str) {
    if has("python3") {
        let words = format!("grade echo --address 127.0.0.1:10000 {options}");
        xtask(&words).args(programs).assert().code(0).stdout(contains(says));
    }
}

fn fixed(name: &str, script: &str) -> String {
    format!("--program={name}={script} 127.0.0.1 10000")
}

#[test]
fn a_client_with_an_address_of_its_own_gets_full_marks_there() {
    let client = [fixed("echo_client", CLIENT)];
    check_fixed("--only client", &client, "Score 17/17   8 passed");
    check_fixed("--only client --confine off", &client, "Score 17/17   8 passed");
}

#[test]
fn a_client_with_an_address_of_its_own_meets_either_server() {
    let only = "--only client --only together --only flow";
    let client = fixed("echo_client", CLIENT);
    for confine in ["auto", "off"] {
        let options = format!("{only} --confine {confine}");
        let fixed = [client.clone(), fixed("echo_server", SERVER)];
        check_fixed(&options, &fixed, "10 passed");
        let told = [client.clone(), program("echo_server", SERVER)];
        check_fixed(&options, &told, "10 passed");
    }
}

#[test]
fn a_server_that_is_told_a_port_and_no_host_listens_where_it_was_told() {
    let script = "--program=echo_server=python3 -c \"
import socket, sys
s = socket.socket()
s.bind(('127.0.0.1', int(sys.argv[1])))
s.listen()
while True: s.accept()
\" {port}";
    if has("python3") {
        let mut grade = xtask("grade echo --only listens_on_given_address");
        grade.arg(script).assert().code(0).stdout(contains("1 passed"));
    }
}

/// Grades a server in Python.
#[track_caller]
fn check(body: &str, only: &str, status: i32, says: &str) {
    if let Some((_folder, program)) = python_program(body) {
        let assert = xtask(&format!("grade echo {only}")).arg(program).assert();
        assert.code(status).stdout(contains(says.to_owned()));
    }
}

#[test]
fn a_server_that_floods_its_output_is_drained_and_graded() {
    let server = "
        listen()
        while True:
            c, _ = s.accept()
            sys.stdout.write('x' * 20_000_000)
            echo(c)";
    check(server, "--only echoes_short_message", 0, "");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::process::Command;

    use super::check;
    use crate::python_program;
    use crate::support::{report, xtask};

    const SEVERAL: &str = "--only flow --only exactness --only serves_next_client";

    #[track_caller]
    fn check_fails_only(body: &str, only: &str, id: &str, because: &str) {
        let Some((_folder, program)) = python_program(body) else { return };
        let report = report(xtask(&format!("grade echo {only}")).arg(program));
        let checks = report["checks"].as_array().unwrap();
        let failed: Vec<_> = checks.iter().filter(|check| check["status"] != "passed").collect();
        assert!(failed.len() == 1 && failed[0]["id"] == id, "{failed:#?}");
        assert!(failed[0]["message"].as_str().unwrap().contains(because), "{failed:#?}");
    }

    #[test]
    fn a_fixed_address_is_found_and_costs_that_check_only() {
        let says = "one that listens on 127.0.0.1:14321";
        let server = "listen('127.0.0.1', 14321); serve()";
        check_fails_only(server, SEVERAL, "listens_on_given_address", says);
    }

    #[test]
    fn a_second_listening_socket_is_seen_when_it_comes_a_little_later() {
        let server = "
            listen()
            def later():
                time.sleep(0.06)
                t = socket.socket(); t.bind(('0.0.0.0', 0)); t.listen()
                time.sleep(600)
            threading.Thread(target=later, daemon=True).start()
            serve()";
        let id = "listens_on_given_address";
        check_fails_only(server, &format!("--only {id}"), id, " and 0.0.0.0:");
    }

    #[test]
    fn an_ipv6_socket_that_listens_on_an_ipv4_address_listens_there() {
        let server = "
            s = socket.socket(socket.AF_INET6)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listen('::ffff:' + sys.argv[1])
            serve()";
        check(server, SEVERAL, 0, "");
    }

    /// The server works for 0.3 s before each reply, at a low priority. Neither its work nor its
    /// wait for a processor counts.
    #[test]
    fn a_busy_server_on_a_busy_machine_is_not_called_late() {
        let server = "
            os.nice(10); listen()
            while True:
                c, _ = s.accept()
                while data := c.recv(65536):
                    end = time.process_time() + 0.3
                    while time.process_time() < end: pass
                    c.sendall(data)
                c.close()";
        let _load = Load::begin();
        check(server, "--only echoes_short_message", 0, "");
    }

    /// Four busy loops.
    struct Load(Vec<std::process::Child>);

    impl Load {
        fn begin() -> Self {
            let busy = |_| Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
            Self((0..4).map(busy).collect())
        }
    }

    impl Drop for Load {
        fn drop(&mut self) {
            for process in &mut self.0 {
                _ = process.kill();
                _ = process.wait();
            }
        }
    }

    #[test]
    fn a_server_that_goes_on_in_another_process_is_judged_by_that_one() {
        let server = "
            listen()
            if os.fork(): os._exit(0)
            os.setsid()
            if os.fork(): os._exit(0)
            serve()";
        let only = "--only exactness --only serves_next_client --only rests_when_idle \
            --only restarts_on_same_port";
        check(server, only, 0, "");
    }

    /// `/proc/PID/fd` is empty once the process has lost its first thread.
    #[test]
    fn a_server_whose_first_thread_has_ended_hides_no_socket() {
        let server = "
            import ctypes
            listen('0.0.0.0')
            kept = []
            def keep():
                while True:
                    c = s.accept()[0]
                    kept.append(c)
                    while data := c.recv(4096): c.sendall(data)
            threading.Thread(target=keep).start()
            ctypes.CDLL(None).pthread_exit(None)";
        if !knows_handles_of_threads() {
            println!("skipped: this kernel is older than 6.9");
            return;
        }
        let only = "--only listens_on_given_address --only closes_after_client";
        check(server, only, 1, "2 failed");
        check(server, only, 1, "0.0.0.0");
    }

    fn knows_handles_of_threads() -> bool {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        let numbers = release.split(['.', '-']).take(2);
        numbers.map(|number| number.trim().parse().unwrap()).collect::<Vec<u32>>() >= vec![6, 9]
    }

    /// The connection ends before the program does; the check waits for the exit status.
    #[test]
    fn a_program_that_takes_its_time_to_die_has_died() {
        let server = "
            listen(); c = s.accept()[0]
            c.recv(100); c.close()
            time.sleep(0.15)
            sys.exit(3)";
        check(server, "--only echoes_short_message", 1, "exit status 3");
    }
}
