//! The commands from outside: what they print, how they end, and what they leave behind.

mod new;
mod release;
mod stuck;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::time::{Duration, Instant};

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;

/// What the solution earns: elsewhere than on Linux two checks cannot be seen, and are not counted.
const FULL_MARKS: &str = if cfg!(target_os = "linux") {
    "Score 100/100   31 passed"
} else {
    "Score 95/95   29 passed, 2 not counted"
};
#[cfg(unix)]
const FULL_MARKS_OF_A_SERVER: &str =
    if cfg!(target_os = "linux") { "22 passed" } else { "20 passed, 2 not counted" };

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn xtask(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("xtask").unwrap();
    command.current_dir(root()).args(arguments).env_remove("CLICOLOR_FORCE");
    command
}

/// A copy of the course with nothing in it but the echo practical's rubric, handout and programs.
fn course() -> tempfile::TempDir {
    let course = tempfile::tempdir().unwrap();
    copy(&root().join("practicals/echo"), &course.path().join("practicals/echo"));
    course
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from)
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.file_name() != "target")
    {
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place)
        } else {
            _ = fs::copy(entry.path(), place).unwrap()
        }
    }
}

/// The same, with programs that are certainly unfinished: a student's own may be finished by now.
fn unfinished_course() -> tempfile::TempDir {
    let course = course();
    for program in ["echo_server", "echo_client"] {
        let main = course.path().join("practicals/echo").join(program).join("src/main.rs");
        fs::write(main, "fn main() {\n    todo!(\"steps 1 to 3\")\n}\n").unwrap();
    }
    course
}

/// One clear line on stderr, exit status 2, nothing on stdout.
#[track_caller]
fn refuses(command: &mut Command, says: &str) {
    let assert = command.assert().code(2).stdout("").stderr(contains(says));
    let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!((errors, stderr.contains("panicked")), (1, false), "{stderr}");
}

// ---- grading ----

#[test]
fn the_solution_gets_full_marks() {
    xtask(&["grade", "echo", "--solution"]).assert().code(0).stdout(contains(FULL_MARKS));
}

#[test]
fn the_skeleton_fails_everything_but_what_it_is_given() {
    let skeleton = root().join("practicals/echo/echo_server/src/main.rs");
    if !fs::read_to_string(skeleton).unwrap().contains("todo!(") {
        println!("skipped: somebody has begun to fill in the skeleton");
        return;
    }
    let assert = xtask(&["grade", "echo", "--only", "echo_server", "--seed", "7"]).assert().code(1);
    assert
        .stdout(contains("1 passed, 3 failed, 18 skipped"))
        .stdout(contains("The skeleton brings this along"))
        .stdout(contains("not yet implemented: steps 1 to 3"))
        .stdout(contains("again     cargo xtask grade echo --only echoes_short_message --seed 7"));
}

#[test]
fn the_report_fits_80_columns_and_has_no_colour_where_nobody_sees_it() {
    let course = unfinished_course();
    let output =
        xtask(&["grade", "echo", "--hint", "9"]).current_dir(course.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\u{1b}'));
    let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn colour_can_be_forced_and_forbidden() {
    xtask(&["grade", "echo", "--solution", "--only", "reports_bad_arguments"])
        .env("CLICOLOR_FORCE", "1")
        .assert()
        .stdout(contains("\u{1b}["));
    xtask(&["grade", "echo", "--solution", "--only", "reports_bad_arguments"])
        .env("CLICOLOR_FORCE", "1")
        .env("NO_COLOR", "1")
        .assert()
        .stdout(contains("\u{1b}[").not());
}

#[test]
fn what_does_not_compile_shows_the_compilers_words_and_is_unbuilt() {
    let course = course();
    let main = course.path().join("practicals/echo/echo_server/src/main.rs");
    fs::write(&main, "fn main() {}\nfn broken() -> u8 { \"text\" }\n").unwrap();

    let assert =
        xtask(&["grade", "echo", "--report", "json"]).current_dir(course.path()).assert().code(1);
    assert
        .stderr(
            contains("echo_server does not compile")
                .and(contains("error[E0308]: mismatched types"))
                .and(contains("Next: make echo_server compile")),
        )
        .stdout(contains("\"status\": \"unbuilt\"").and(contains("echo_server does not compile")));
}

#[test]
fn a_seed_gives_the_same_verdict_again() {
    let grade = || {
        let output = xtask(&[
            "grade",
            "echo",
            "--solution",
            "--only",
            "echo_client",
            "--seed",
            "3",
            "--report",
            "json",
        ])
        .output()
        .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap().clone();
        checks
            .iter()
            .map(|check| (check["id"].clone(), check["status"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(grade(), grade());
}

#[test]
fn the_json_report_has_the_contracts_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("verdict.json");
    let report = format!("json={}", file.display());
    let course = unfinished_course();
    let mut grade = xtask(&["grade", "echo", "--seed", "5", "--report", &report]);
    grade.current_dir(course.path()).assert().code(1).stdout(contains("Score"));

    let report: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(
        (&report["schema"], &report["practical"], &report["seed"]),
        (&1.into(), &"echo".into(), &5.into())
    );
    assert_eq!(
        (&report["score"], &report["max_score"], &report["passed"]),
        (&0.into(), &100.into(), &false.into())
    );
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 31);
    let points: u64 = checks.iter().map(|check| check["points"].as_u64().unwrap()).sum();
    let most: u64 = checks.iter().map(|check| check["max_points"].as_u64().unwrap()).sum();
    assert_eq!((points, most), (0, 100));
    let failed = checks.iter().find(|check| check["status"] == "failed").unwrap();
    assert!(
        failed["message"]
            .as_str()
            .unwrap()
            .starts_with("expected a server that listens on 127.0.0.1:")
    );
    assert!(failed["hint"].is_string() && failed["stderr_tail"].is_string());
    let skipped = checks.iter().find(|check| check["status"] == "skipped").unwrap();
    assert!(skipped.get("hint").is_none() && skipped.get("transcript").is_none());
}

#[cfg(unix)]
#[test]
fn a_program_in_another_language_is_graded_by_its_command_line() {
    let python =
        "echo_server=python3 practicals/echo/mistakes/other_languages/echo_server.py {host} {port}";
    if !has("python3") {
        println!("skipped: no python3 here");
        return;
    }
    xtask(&["grade", "echo", "--program", python, "--only", "echo_server"])
        .assert()
        .code(0)
        .stdout(contains(FULL_MARKS_OF_A_SERVER));
}

#[cfg(unix)]
#[test]
fn a_compiled_c_program_is_graded_by_its_command_line() {
    if !has("cc") {
        println!("skipped: no cc here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("echo_server");
    let source = root().join("practicals/echo/mistakes/other_languages/echo_server.c");
    Command::new("cc").args(["-O1", "-pthread", "-o"]).arg(&program).arg(source).assert().success();

    let command = format!("echo_server={} {{host}} {{port}}", program.display());
    xtask(&["grade", "echo", "--program", &command, "--only", "echo_server"])
        .assert()
        .code(0)
        .stdout(contains(FULL_MARKS_OF_A_SERVER));
}

#[cfg(unix)]
fn has(program: &str) -> bool {
    std::process::Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// A server in Python with whatever it does after it listens.
#[cfg(unix)]
fn python_server(body: &str) -> Option<(tempfile::TempDir, String)> {
    if !has("python3") {
        println!("skipped: no python3 here");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.py");
    let head = "import os, signal, socket, sys, time\ns = socket.socket()\ns.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n";
    fs::write(&file, format!("{head}{body}\n")).unwrap();
    let command = format!("echo_server=python3 {} {{host}} {{port}}", file.display());
    Some((folder, command))
}

#[cfg(target_os = "linux")]
#[test]
fn a_fixed_address_is_found_and_costs_that_check_only() {
    let Some((_folder, command)) = python_server(
        "import threading\ns.bind(('127.0.0.1', 14321)); s.listen()\ndef echo(c):\n    while data := c.recv(4096): c.sendall(data)\n    c.close()\nwhile True: threading.Thread(target=echo, args=(s.accept()[0],), daemon=True).start()",
    ) else {
        return;
    };
    let assert = xtask(&[
        "grade",
        "echo",
        "--program",
        &command,
        "--only",
        "flow",
        "--only",
        "exactness",
        "--only",
        "serves_next_client",
    ]);
    assert_failed_only(assert, "listens_on_given_address", "one that listens on 127.0.0.1:14321");
}

#[cfg(target_os = "linux")]
#[track_caller]
fn assert_failed_only(mut command: Command, id: &str, because: &str) {
    let output = command.args(["--report", "json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let failed: Vec<_> = checks.iter().filter(|check| check["status"] != "passed").collect();
    assert_eq!(
        failed.iter().map(|check| check["id"].as_str().unwrap()).collect::<Vec<_>>(),
        [id],
        "{failed:#?}"
    );
    assert!(failed[0]["message"].as_str().unwrap().contains(because), "{failed:#?}");
}

/// An echo server in Python whose listening socket was made by `make`, a thread for each client.
#[cfg(target_os = "linux")]
fn right_python_server(make: &str) -> Option<(tempfile::TempDir, String)> {
    let serve = "def echo(c):\n    try:\n        while data := c.recv(65536): c.sendall(data)\n    except OSError: pass\n    c.close()\nwhile True: threading.Thread(target=echo, args=(s.accept()[0],), daemon=True).start()";
    python_server(&format!("import threading\n{make}\n{serve}"))
}

#[cfg(target_os = "linux")]
#[test]
fn an_ipv6_socket_that_listens_on_an_ipv4_address_listens_there() {
    let make = "s = socket.socket(socket.AF_INET6); s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0); s.bind(('::ffff:' + sys.argv[1], int(sys.argv[2]))); s.listen()";
    let Some((_folder, command)) = right_python_server(make) else { return };
    let checks = ["--only", "flow", "--only", "exactness", "--only", "serves_next_client"];
    xtask(&[&["grade", "echo", "--program", &command][..], &checks].concat()).assert().code(0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_second_listening_socket_is_seen_when_it_comes_a_little_later() {
    let make = "s.bind((sys.argv[1], int(sys.argv[2]))); s.listen()\ndef later():\n    time.sleep(0.06); t = socket.socket(); t.bind(('0.0.0.0', 0)); t.listen(); time.sleep(600)\nthreading.Thread(target=later, daemon=True).start()";
    let Some((_folder, command)) = right_python_server(make) else { return };
    let grade =
        xtask(&["grade", "echo", "--program", &command, "--only", "listens_on_given_address"]);
    assert_failed_only(grade, "listens_on_given_address", " and 0.0.0.0:");
}

/// It works for 0.3 s before each reply, at a low priority: neither its work nor its waiting for a
/// processor counts.
#[cfg(target_os = "linux")]
#[test]
fn a_busy_server_on_a_busy_machine_is_not_called_late() {
    let Some((_folder, command)) = python_server(
        "os.nice(10); s.bind((sys.argv[1], int(sys.argv[2]))); s.listen()\nwhile True:\n    c, _ = s.accept()\n    while data := c.recv(65536):\n        end = time.process_time() + 0.3\n        while time.process_time() < end: pass\n        c.sendall(data)\n    c.close()",
    ) else {
        return;
    };
    let busy: Vec<_> = (0..4)
        .map(|_| {
            std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap()
        })
        .collect();
    let status = xtask(&["grade", "echo", "--program", &command, "--only", "echoes_short_message"])
        .output()
        .unwrap()
        .status;
    for mut process in busy {
        process.kill().unwrap();
        process.wait().unwrap();
    }
    assert_eq!(status.code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_goes_on_in_another_process_is_judged_by_that_one() {
    let make = "s.bind((sys.argv[1], int(sys.argv[2]))); s.listen()\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)";
    let Some((_folder, command)) = right_python_server(make) else { return };
    let checks = [
        "--only",
        "exactness",
        "--only",
        "serves_next_client",
        "--only",
        "rests_when_idle",
        "--only",
        "restarts_on_same_port",
    ];
    xtask(&[&["grade", "echo", "--program", &command][..], &checks].concat()).assert().code(0);
}

/// With its first thread gone, the usual place in `/proc` shows nothing of what it holds.
#[cfg(target_os = "linux")]
#[test]
fn a_server_whose_first_thread_has_ended_hides_no_socket() {
    let body = "import ctypes, threading\ns.bind(('0.0.0.0', int(sys.argv[2]))); s.listen()\nkept = []\ndef serve():\n    while True:\n        c = s.accept()[0]\n        kept.append(c)\n        while data := c.recv(4096): c.sendall(data)\nthreading.Thread(target=serve).start()\nctypes.CDLL(None).pthread_exit(None)";
    let Some((_folder, command)) = python_server(body) else { return };
    let checks = ["--only", "listens_on_given_address", "--only", "closes_after_client"];
    let output =
        xtask(&[&["grade", "echo", "--program", &command][..], &checks].concat()).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    if !knows_handles_of_threads() {
        println!("skipped: this kernel is older than 6.9");
        return;
    }
    assert!(contains("2 failed").eval(&*report) && contains("0.0.0.0").eval(&*report), "{report}");
}

#[cfg(target_os = "linux")]
fn knows_handles_of_threads() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let numbers: Vec<u32> =
        release.split(['.', '-']).take(2).map(|number| number.trim().parse().unwrap()).collect();
    numbers >= vec![6, 9]
}

/// The end of a connection is seen before the end of the program that it is the first sign of.
#[cfg(target_os = "linux")]
#[test]
fn a_program_that_takes_its_time_to_die_has_died() {
    let body = "s.bind((sys.argv[1], int(sys.argv[2]))); s.listen()\nc = s.accept()[0]\nc.recv(100); c.close()\ntime.sleep(0.15)\nsys.exit(3)";
    let Some((_folder, command)) = python_server(body) else { return };
    xtask(&["grade", "echo", "--program", &command, "--only", "echoes_short_message"])
        .assert()
        .code(1)
        .stdout(contains("exit status 3"));
}

#[cfg(target_os = "linux")]
#[test]
fn what_listens_on_a_fixed_address_already_is_a_fault_not_a_failure() {
    let occupant = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = occupant.local_addr().unwrap().to_string();
    let Some((_folder, command)) = python_server("time.sleep(60)") else { return };
    let command = command.replace(" {host} {port}", "");
    let grade = [
        "grade",
        "echo",
        "--program",
        &command,
        "--address",
        &address,
        "--only",
        "echoes_short_message",
    ];
    xtask(&[&grade[..], &["--confine", "off"]].concat())
        .assert()
        .code(3)
        .stdout(contains("something else listens on").and(contains("This costs no point.")));
}

// ---- what is left behind ----

/// Processes whose command line or environment has this word.
#[cfg(target_os = "linux")]
fn processes_with(word: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter(|entry| {
        entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit())
    });
    pids.filter_map(|entry| {
        let line = String::from_utf8_lossy(&fs::read(entry.path().join("cmdline")).ok()?)
            .replace('\0', " ");
        line.contains(word).then_some(line)
    })
    .collect()
}

#[cfg(unix)]
#[track_caller]
fn soon(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_of_a_program_that_forks_and_hides() {
    let Some((folder, command)) = python_server(
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n        time.sleep(600)\n    os._exit(0)\ns.bind((sys.argv[1], int(sys.argv[2]))); s.listen(); time.sleep(600)",
    ) else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    xtask(&["grade", "echo", "--program", &command, "--only", "echoes_short_message"])
        .env("TMPDIR", scratch.path())
        .assert()
        .code(1);

    let name = folder.path().display().to_string();
    assert_eq!(processes_with(&name), Vec::<String>::new());
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "a temporary folder was left");
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_of_a_grading_that_was_killed() {
    for tier in ["auto", "landlock", "off"] {
        kill_a_grading(tier);
    }
}

#[cfg(target_os = "linux")]
fn kill_a_grading(tier: &str) {
    use std::process::Stdio;
    // It never listens and never stops trying: without a kill this grading would go on for seconds.
    let body = "if os.fork() == 0: os.setsid()\nwhile True: time.sleep(0.05)";
    let Some((folder, command)) = python_server(body) else { return };
    let name = folder.path().display().to_string();
    let scratch = tempfile::tempdir().unwrap();
    let mut grading = std::process::Command::new(assert_cmd::cargo::cargo_bin("xtask"))
        .args([
            "grade",
            "echo",
            "--program",
            &command,
            "--only",
            "echoes_short_message",
            "--confine",
            tier,
        ])
        .current_dir(root())
        .env("TMPDIR", scratch.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    soon("the program was never started", || processes_with(&name).len() >= 3);
    let helpers = children(grading.id());
    assert!(!helpers.is_empty());

    grading.kill().unwrap();
    grading.wait().unwrap();

    soon(&format!("{tier}: processes were left"), || processes_with(&name).is_empty());
    soon("the grader's own processes were left", || helpers.iter().all(|pid| !is_there(pid)));
    assert_eq!(
        fs::read_dir(scratch.path()).unwrap().count(),
        1,
        "the killed grading had a temporary folder"
    );
    xtask(&["grade", "echo", "--solution", "--only", "reports_bad_arguments"])
        .env("TMPDIR", scratch.path())
        .assert()
        .code(0);
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "the next run removes the folder");
}

#[cfg(target_os = "linux")]
fn children(of: u32) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{of}/task")).unwrap().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// A process that has ended and that nobody has asked for counts as gone.
#[cfg(target_os = "linux")]
fn is_there(pid: &String) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// A build puts a new file in its place while it grades: then it has a process, and no file any
/// more.
#[test]
#[cfg(target_os = "linux")]
fn a_grader_that_is_built_anew_in_the_meantime_grades_on() {
    let target = tempfile::tempdir().unwrap();
    let executable = target.path().join("debug/xtask");
    fs::create_dir(executable.parent().unwrap()).unwrap();
    fs::copy(assert_cmd::cargo::cargo_bin("xtask"), &executable).unwrap();

    let mut grading = std::process::Command::new(&executable);
    grading.current_dir(root()).args([
        "grade",
        "echo",
        "--solution",
        "--only",
        "listens_on_given_address",
    ]);
    let grading = grading
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    fs::remove_file(&executable).unwrap();

    let ended = grading.wait_with_output().unwrap();
    let messages = String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.success()
            && contains("1 passed").eval(&*String::from_utf8_lossy(&ended.stdout)),
        "{messages}"
    );
}

#[cfg(unix)]
#[test]
fn a_server_that_floods_its_output_is_drained_and_graded() {
    let Some((_folder, command)) = python_server(
        "s.bind((sys.argv[1], int(sys.argv[2]))); s.listen()\nwhile True:\n    c, _ = s.accept()\n    sys.stdout.write('x' * 20_000_000)\n    while data := c.recv(4096): c.sendall(data)\n    c.close()",
    ) else {
        return;
    };
    xtask(&["grade", "echo", "--program", &command, "--only", "echoes_short_message"])
        .assert()
        .code(0);
}

// ---- what was before ----

#[test]
fn a_grading_tells_what_got_better_and_what_got_worse() {
    let course = unfinished_course();
    let again = |says: &str| {
        let mut command = plain(&[
            "grade",
            "echo",
            "--only",
            "client_sends_exactly",
            "--only",
            "client_reports_refused",
        ]);
        command.current_dir(course.path()).assert().stdout(contains(says.to_owned()));
    };
    let main = course.path().join("practicals/echo/echo_client/src/main.rs");
    let unfinished = fs::read(&main).unwrap();
    plain(&["grade", "echo"])
        .current_dir(course.path())
        .assert()
        .code(1)
        .stdout(contains("Since last time").not());
    again("Since last time: no change.");
    fs::copy(root().join("practicals/echo/solution/echo_client/src/main.rs"), &main).unwrap();
    again("Since last time: 4 points more. Better: client_sends_exactly,");
    fs::write(&main, "fn main() {").unwrap();
    again("Since last time: no change.");
    fs::write(&main, unfinished).unwrap();
    again("Since last time: 4 points fewer. Worse: client_sends_exactly,");
}

// ---- reports ----

/// Nothing of the surroundings in which these tests run.
const NOT_OURS: [&str; 4] = ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "CLASSROOM"];

const FILES: &[(&str, &str)] = &[
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

fn to_files(command: &mut Command, folder: &Path) {
    for (format, file) in FILES {
        command.arg("--report").arg(format!("{format}={}", folder.join(file).display()));
    }
}

fn plain(arguments: &[&str]) -> Command {
    let mut command = xtask(arguments);
    NOT_OURS.iter().for_each(|name| _ = command.env_remove(name));
    command
}

/// As Classroom 50's runner would start it, in a checkout.
fn in_classroom_50(command: &mut Command) -> &mut Command {
    for (name, value) in [
        ("CLASSROOM", "sockets"),
        ("ASSIGNMENT", "echo"),
        ("ASSIGNMENT_TYPE", "individual"),
        ("USERNAME", "student"),
        ("SUBMISSION_TAG", "submit/1"),
        ("COMMIT_URL", "https://example.org/commit"),
        ("RELEASE_URL", "https://example.org/release"),
        ("REVIEW_URL", "https://example.org/review"),
    ] {
        command.env(name, value);
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
    let mut command = plain(&["grade", "echo", "--solution", "--only", "echo_client"]);
    to_files(&mut command, folder.path());
    in_classroom_50(&mut command)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("GITHUB_OUTPUT", &outputs);
    command.assert().code(0).stdout(contains("Score"));

    let text = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
    assert!(FILES.iter().all(|(_, file)| !fs::read(folder.path().join(file)).unwrap().is_empty()));
    let result: serde_json::Value = serde_json::from_str(&text("result.json")).unwrap();
    assert_eq!((&result["owner"], &result["score"]), (&"student".into(), &result["max-score"]));
    let git = Command::new("git")
        .args(["show", "-s", "--format=%cd", "--date=format-local:%FT%TZ"])
        .env("TZ", "UTC")
        .unwrap();
    assert_eq!(result["datetime"], String::from_utf8_lossy(&git.stdout).trim());
    assert!(fs::read_to_string(&summary).unwrap().starts_with("## ✅"));
    assert!(fs::read_to_string(&outputs).unwrap().starts_with("earlier=1\nresult="));
}

/// One place that takes no report keeps no other from its own, nor the verdict from whoever waits
/// for it.
#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_loses_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let _socket = std::os::unix::net::UnixListener::bind(file("socket")).unwrap(); // cannot be opened
    let mut command = plain(&["grade", "echo", "--solution", "--only", "listens_on_given_address"]);
    for (format, name) in [("json", "socket"), ("markdown", "a.md"), ("ctrf", "b.json")] {
        command.arg("--report").arg(format!("{format}={}", file(name).display()));
    }
    command.assert().code(3).stdout(contains("1 passed")).stderr(contains("error: --report json="));
    assert!(
        !fs::read(file("a.md")).unwrap().is_empty()
            && !fs::read(file("b.json")).unwrap().is_empty()
    );
    assert!(
        !fs::metadata(file("socket")).unwrap().is_file(),
        "what is no file is not replaced by one"
    );
}

#[cfg(unix)]
#[test]
fn a_report_through_a_link_leaves_the_link() {
    let folder = tempfile::tempdir().unwrap();
    let (link, file) = (folder.path().join("link"), folder.path().join("file"));
    fs::write(&file, "old").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let report = format!("json={}", link.display());
    let check = ["--only", "listens_on_given_address"];
    plain(&[&["grade", "echo", "--solution", "--report", &report][..], &check].concat())
        .assert()
        .code(0);
    assert!(
        fs::symlink_metadata(&link).unwrap().is_symlink()
            && fs::read_to_string(&file).unwrap().starts_with('{')
    );
}

/// A right program and a wrong one get what they get, whatever they print.
#[cfg(unix)]
#[test]
fn what_a_program_prints_changes_nothing_in_any_report() {
    const SERVES: &str = "s.bind((sys.argv[1], int(sys.argv[2]))); s.listen()\nwhile True:\n    c, _ = s.accept()\n    SAYS\n    while data := c.recv(4096):\n        c.sendall(DATA)\n    c.close()";
    const SAYS: &str = "[(out.write(b'\\n::error::hacked\\n::set-output name=result::forged\\n::add-mask::points\\n::stop-commands::0\\n\\x1b[2J\\xff\\xfe]]>\\nScore 100/100   31 passed\\n{\"score\": 100}\\n' + b'x' * 50_000_000 + b'\\n::error::hacked\\n</script><script>alert(1)</script>\\n'), out.flush()) for out in (sys.stdout.buffer, sys.stderr.buffer)]";
    for (data, status) in [("data", 0), ("data[:-1]", 1)] {
        let mut reports = Vec::new();
        for says in ["pass", SAYS] {
            let body = SERVES.replace("SAYS", says).replace("DATA", data);
            let Some((_folder, command)) = python_server(&body) else { return };
            let folder = tempfile::tempdir().unwrap();
            let mut grading =
                plain(&["grade", "echo", "--only", "echoes_short_message", "--program", &command]);
            to_files(&mut grading, folder.path());
            in_classroom_50(&mut grading).assert().code(status);
            reports.push(
                FILES
                    .iter()
                    .map(|(_, file)| fs::read(folder.path().join(file)).unwrap())
                    .collect::<Vec<_>>(),
            );
        }
        let score = |json: &[u8]| {
            serde_json::from_slice::<serde_json::Value>(json).unwrap()["score"].clone()
        };
        assert_eq!(score(&reports[0][0]), score(&reports[1][0]));
        let shown = String::from_utf8_lossy(&reports[1][0]).contains("hacked");
        assert_eq!(shown, status == 1, "what it said is evidence where it failed");
        for ((format, _), loud) in
            FILES.iter().zip(&reports[1]).filter(|((format, _), _)| *format != "pcapng")
        {
            assert!(loud.len() < 200_000, "{format}: {} bytes", loud.len());
            assert!(!loud.contains(&0x1b) && std::str::from_utf8(loud).is_ok(), "{format}");
        }
    }
}

#[test]
fn who_hands_in_is_asked_before_anything_is_graded() {
    let report = ["grade", "echo", "--solution", "--report", "classroom50"];
    refuses(
        &mut plain(&report),
        "sets CLASSROOM, ASSIGNMENT, ASSIGNMENT_TYPE, OWNER or USERNAME, SUBMISSION_TAG",
    );
    refuses(
        in_classroom_50(&mut plain(&report)).env("SUBMISSION_TAG", "v1"),
        "begins with submit/",
    );
    refuses(
        in_classroom_50(&mut plain(&report)).env("ASSIGNMENT_TYPE", "class"),
        "not individual, group or team",
    );
}

/// Gradescope takes a file without a score for an autograder that failed.
#[test]
fn gradescope_has_something_to_read_whatever_happens() {
    #[track_caller]
    fn check(arguments: &[&str], status: i32, says: &str) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("results.json");
        let report = format!("gradescope={}", file.display());
        plain(&[arguments, &["--report", &report]].concat()).assert().code(status);
        let results: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert!(results["output"].as_str().unwrap().contains(says), "{results}");
        assert!(results.get("score").is_none() && results.get("tests").is_none(), "{results}");
    }
    check(&["grade", "echo", "--submission", "/nowhere/at/all"], 2, "there is no such folder");
    check(&["grade", "ecko"], 2, "there is no practical");
    check(&["grade", "echo", "--only", "nothing"], 2, "--only nothing");
    check(&["grade", "echo", "--report", "json=/no/such/folder/verdict.json"], 2, "cut short");
    check(&["grade", "echo", "--report", "classroom50"], 2, "Classroom 50's runner sets");
}

#[cfg(unix)]
#[test]
fn gradescope_has_something_to_read_of_a_grading_that_was_killed() {
    let Some((_folder, command)) = python_server("while True: time.sleep(0.05)") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results.json");
    let mut grading = std::process::Command::new(assert_cmd::cargo::cargo_bin("xtask"))
        .args([
            "grade",
            "echo",
            "--program",
            &command,
            "--only",
            "echoes_short_message",
            "--report",
        ])
        .arg(format!("gradescope={}", file.display()))
        .current_dir(root())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    soon("no file was promised", || file.exists());
    grading.kill().unwrap();
    grading.wait().unwrap();
    assert!(
        fs::read_to_string(&file).unwrap().contains("There is no grade: the grading was cut short")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_fault_replaces_no_earlier_grade() {
    let occupant = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = occupant.local_addr().unwrap().to_string();
    let Some((_folder, command)) = python_server("time.sleep(60)") else { return };
    let command = command.replace(" {host} {port}", "");
    let folder = tempfile::tempdir().unwrap();
    let (earlier, new) = (folder.path().join("earlier.json"), folder.path().join("new.json"));
    fs::write(&earlier, "an earlier grade").unwrap();
    let reports = [format!("json={}", earlier.display()), format!("gradescope={}", new.display())];
    plain(&[
        "grade",
        "echo",
        "--program",
        &command,
        "--address",
        &address,
        "--only",
        "echoes_short_message",
    ])
    .args(["--confine", "off", "--report", &reports[0], "--report", &reports[1]])
    .assert()
    .code(3)
    .stderr(contains("earlier.json is left as it was: this grading ended without a grade"));

    assert_eq!(fs::read_to_string(&earlier).unwrap(), "an earlier grade");
    assert!(
        fs::read_to_string(&new).unwrap().contains("echoes_short_message could not be found out")
    );
}

#[test]
fn in_a_step_of_githubs_nothing_that_is_printed_is_obeyed() {
    let course = course();
    let main = course.path().join("practicals/echo/echo_client/src/main.rs");
    fs::write(
        &main,
        "compile_error!(\"x\\n::error::you are hacked\\n##[add-mask]points\");\nfn main() {}\n",
    )
    .unwrap();
    let grade = || {
        let mut command = plain(&["grade", "echo", "--only", "echo_client"]);
        command.current_dir(course.path()).env("GITHUB_ACTIONS", "true");
        command
    };
    for report in [&[][..], &["--report", "github"], &["--report", "json"]] {
        let output = grade().args(report).output().unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let shown = if report.ends_with(&["json"]) { stderr.as_ref() } else { &stdout };
        let (_, rest) = shown.split_once("::stop-commands::").expect(shown);
        let (token, rest) = rest.split_once('\n').unwrap();
        let (inside, after) = rest.split_once(&format!("\n::{token}::\n")).expect(shown);
        assert!(token.len() == 32 && inside.contains("::error::you are hacked"), "{shown}");
        assert!(!after.contains("##[") || report.ends_with(&["github"]), "{shown}");
        assert!(!stderr.contains("hacked") || report.ends_with(&["json"]), "{stderr}");
    }
}

/// Not even a file's name, where it is what is refused.
#[cfg(unix)]
#[test]
fn in_a_step_of_githubs_a_name_is_no_command() {
    let submission = tempfile::tempdir().unwrap();
    let sources = submission.path().join("echo_server/src");
    fs::create_dir_all(&sources).unwrap();
    fs::write(submission.path().join("echo_server/Cargo.toml"), "[package]").unwrap();
    fs::write(sources.join("main.rs"), "fn main() {}\n").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", sources.join("a\n::error::you are hacked.rs"))
        .unwrap();
    let folder = submission.path().display().to_string();
    let output = plain(&[
        "grade",
        "echo",
        "--only",
        "echo_server",
        "--submission",
        &folder,
        "--report",
        "github",
    ])
    .env("GITHUB_ACTIONS", "true")
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("::error::you are hacked"), "{stdout}");
    for said in [stdout, stderr] {
        assert!(
            !said.lines().any(|line| line.trim_start().starts_with("::error::you are hacked")),
            "{said}"
        );
    }
}

// ---- bad input ----

#[test]
fn a_soak_of_nothing_is_no_pass() {
    refuses(
        &mut xtask(&["verify", "echo", "--soak", "1", "--only", "reads_once"]),
        "what was not graded does not hold",
    );
}

#[test]
fn an_unknown_practical_is_refused() {
    refuses(&mut xtask(&["grade", "ecko"]), "there is no practical \"ecko\": there is echo");
}

#[test]
fn unknown_words_are_refused() {
    refuses(&mut xtask(&["frobnicate"]), "there is no command \"frobnicate\"");
    refuses(&mut xtask(&["grade", "echo", "--frobnicate"]), "--frobnicate");
    refuses(
        &mut xtask(&["grade", "echo", "--only", "nothing"]),
        "--only nothing: no check, group or program",
    );
    refuses(&mut xtask(&["grade", "echo", "--report", "pdf"]), "there is no such format");
    refuses(&mut xtask(&["explain", "echoes_evry_size"]), "did you mean echoes_every_");
    refuses(&mut xtask(&["explain", "read_once"]), "did you mean reads_once");
}

#[test]
fn what_is_not_there_yet_is_refused_not_ignored() {
    refuses(&mut xtask(&["class", "submissions"]), "not there yet");
}

#[test]
fn a_command_line_without_a_place_for_the_port_is_refused() {
    refuses(
        &mut xtask(&["grade", "echo", "--program", "echo_server=python3 server.py"]),
        "no {port}",
    );
    refuses(
        &mut xtask(&["grade", "echo", "--program", "echo_serv=x {port}"]),
        "has no such program",
    );
    refuses(
        &mut xtask(&["grade", "echo", "--program", "echo_server=./nothing {port}"]),
        "there is no executable \"./nothing\"",
    );
}

#[test]
fn what_would_be_ignored_is_refused() {
    let right = "echo_server=cargo {host} {port}";
    refuses(
        &mut xtask(&["grade", "echo", "--program", right, "--address", "127.0.0.1:10000"]),
        "--address goes with",
    );
    refuses(&mut xtask(&["grade", "echo", "--program", right, "--program", right]), "given twice");
    refuses(
        &mut xtask(&[
            "grade",
            "echo",
            "--program",
            "echo_server=cargo",
            "--address",
            "127.0.0.1:0",
        ]),
        "write HOST:PORT",
    );
    refuses(
        &mut xtask(&["grade", "echo", "--report", "json=/no/such/folder/verdict.json"]),
        "there is no such folder",
    );
    refuses(
        &mut xtask(&["grade", "echo", "--report", "json=/tmp"]),
        "--report json=/tmp: that is a folder",
    );
    let same = ["--report", "json=verdict", "--report", "html=verdict"];
    refuses(
        &mut xtask(&[&["grade", "echo"][..], &same].concat()),
        "--report html=verdict: --report json goes there, too",
    );
    refuses(
        &mut xtask(&["verify", "echo", "--attacks", "--only", "no_such_attack"]),
        "no_such_attack: there is no such row",
    );
    refuses(&mut xtask(&["release", ""]), "where to?");
    refuses(&mut xtask(&["release", "Cargo.toml"]), "that is a file");
    refuses(&mut xtask(&["watch", "no_such_practical"]), "no_such_practical");
}

#[cfg(unix)]
#[test]
fn a_file_that_is_no_program_is_refused() {
    refuses(
        &mut xtask(&["grade", "echo", "--program", "echo_server=/etc/passwd {port}"]),
        "there is no executable",
    );
}

#[test]
fn a_submission_without_the_programs_is_refused() {
    let empty = tempfile::tempdir().unwrap();
    refuses(
        &mut xtask(&["grade", "echo", "--submission", &empty.path().display().to_string()]),
        "no echo_server/Cargo.toml in",
    );
    refuses(
        &mut xtask(&["grade", "echo", "--submission", "/nowhere/at/all"]),
        "there is no such folder",
    );
}

#[cfg(unix)]
#[test]
fn no_cargo_is_one_clear_line() {
    let course = course();
    refuses(
        xtask(&["grade", "echo"]).current_dir(course.path()).env("PATH", "").env_remove("CARGO"),
        "there is no cargo on PATH: install Rust",
    );
}

#[test]
fn a_wrong_rubric_is_refused_with_its_line() {
    #[track_caller]
    fn check(from: &str, to: &str, says: &str) {
        let course = course();
        let path = course.path().join("practicals/echo/rubric.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        refuses(xtask(&["grade", "echo", "--solution"]).current_dir(course.path()), says);
    }
    check("title ", "colour = 1\ntitle ", "practicals/echo/rubric.toml:4: unknown field `colour`");
    check("\"echoes_short_message\"", "\"echoes_shout\"", "has no check \"echoes_shout\"");
    check("points = 6", "points = 60", "the points add up to 154, not to 100");
    check(
        "points = 6\nneeds  = []",
        "points = 6\nneeds  = [\"adds_nothing\"]",
        "needs go in a circle",
    );
    check("title ", "title = title", "practicals/echo/rubric.toml:4:");
}

#[test]
fn an_unreadable_rubric_is_refused() {
    let course = course();
    fs::remove_file(course.path().join("practicals/echo/rubric.toml")).unwrap();
    refuses(
        xtask(&["grade", "echo"]).current_dir(course.path()),
        "the rubric practicals/echo/rubric.toml cannot be read",
    );
}

// ---- submissions ----

#[test]
fn a_submission_is_found_where_students_put_it() {
    for place in ["practicals/echo", "20-practical", "."] {
        let submission = tempfile::tempdir().unwrap();
        for program in ["echo_server", "echo_client"] {
            copy(
                &root().join("practicals/echo/solution").join(program),
                &submission.path().join(place).join(program),
            );
        }
        let folder = submission.path().display().to_string();
        xtask(&[
            "grade",
            "echo",
            "--submission",
            &folder,
            "--only",
            "echoes_short_message",
            "--only",
            "client_prints_reply",
        ])
        .assert()
        .code(0);
    }
}

/// Two submissions of the same package name must never share what was built.
#[test]
fn two_submissions_are_not_mixed() {
    let (right, wrong) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let place = |folder: &Path| -> PathBuf { folder.join("echo_server") };
    copy(&root().join("practicals/echo/solution/echo_server"), &place(right.path()));
    copy(&unfinished_course().path().join("practicals/echo/echo_server"), &place(wrong.path()));
    for (folder, status) in [(&right, 0), (&wrong, 1), (&right, 0)] {
        let folder = folder.path().display().to_string();
        xtask(&["grade", "echo", "--submission", &folder, "--only", "echoes_short_message"])
            .assert()
            .code(status);
    }
}

// ---- the other commands ----

#[test]
fn list_shows_every_check_with_its_points() {
    let assert = xtask(&["list"]).assert().code(0);
    let text = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    assert_eq!(text.lines().filter(|line| line.starts_with("  ")).count(), 31 + 37 + 28);
}

#[test]
fn a_name_that_cannot_be_a_practicals_is_refused() {
    refuses(&mut xtask(&["new"]), "what is it called?");
    refuses(&mut xtask(&["new", "Chat Room"]), "cannot be a practical's name");
    refuses(&mut xtask(&["new", "echo"]), "there is a practical \"echo\" already");
}

#[test]
fn explain_knows_checks_and_mistakes() {
    xtask(&["explain", "echoes_every_size"])
        .assert()
        .code(0)
        .stdout(contains("To try").and(contains("needs").not()));
    xtask(&["explain", "reads_once"]).assert().code(0).stdout(contains("How to mend it"));
}

#[test]
fn explain_lists_all_mistakes() {
    for arguments in [&["explain"][..], &["explain", "mistakes"]] {
        let assert = xtask(arguments).assert().code(0);
        let text = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
        let first = text.split("\nThe mistakes that ").next().unwrap_or_default();
        assert_eq!(first.lines().filter(|line| line.starts_with("  ")).count(), 40);
        assert!(text.contains("\nAs in echo: never_listens, "), "{text}");
    }
}

#[test]
fn help_is_help() {
    xtask(&["--help"]).assert().code(0).stdout(contains("cargo xtask grade PRACTICAL"));
    let help = xtask(&["grade", "--help"]).assert().code(0).stdout(contains("--submission DIR"));
    let help = String::from_utf8_lossy(&help.get_output().stdout).into_owned();
    assert!(
        FILES.iter().all(|(format, _)| help.contains(format))
            && help.lines().all(|line| line.len() <= 80),
        "{help}"
    );
}
