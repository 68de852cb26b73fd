//! Submissions as they are handed in, graded as they stand: in any language, in folders and
//! archives, beside hostile ones; and the confinement's account of itself.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn xtask(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("xtask").unwrap();
    command.current_dir(root()).args(arguments).env_remove("CLICOLOR_FORCE");
    command
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn has(program: &str) -> bool {
    let there = std::process::Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|done| done.status.success());
    if !there {
        println!("skipped: there is no {program} here");
    }
    there
}

/// The full tier; where this machine has none, the test says so.
fn has_namespaces() -> bool {
    let there = xtask(&[
        "grade",
        "echo",
        "--solution",
        "--only",
        "reports_bad_arguments",
        "--confine",
        "required",
    ]);
    let output = { there }.output().unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => return true,
        Some(3) => println!("skipped: {}", messages.lines().last().unwrap_or_default()),
        _ => panic!("no verdict of the solution: {messages}"),
    }
    false
}

fn submission(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let place = folder.path().join(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, content).unwrap();
    }
    folder
}

fn of_the_repository(path: &str) -> String {
    fs::read_to_string(root().join("practicals/echo").join(path)).unwrap()
}

fn python() -> String {
    of_the_repository("mistakes/other_languages/echo_server.py")
}

const NODE: &str = "
const net = require('net');
const [host, port] = process.argv.slice(2);
if (!/^\\d+$/.test(port) || Number(port) > 65535) { console.error('usage: echo_server [HOST [PORT]]'); process.exit(2); }
const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
server.on('error', (error) => { console.error(error.message); process.exit(1); });
server.listen(Number(port), host);
";

const JAVA: &str = "
import java.io.*;
import java.net.*;
public class EchoServer {
  public static void main(String[] words) {
    int port = -1;
    try { port = Integer.parseInt(words[1]); } catch (NumberFormatException e) { }
    if (port < 0 || port > 65535) { System.err.println(\"usage: EchoServer [HOST [PORT]]\"); System.exit(2); }
    try (ServerSocket server = new ServerSocket()) {
      server.setReuseAddress(true);
      server.bind(new InetSocketAddress(words[0], port));
      while (true) {
        Socket client = server.accept();
        Thread.ofPlatform().daemon().start(() -> {
          try (client) { client.getInputStream().transferTo(client.getOutputStream()); } catch (IOException e) { }
        });
      }
    } catch (IOException e) { System.err.println(e.getMessage()); System.exit(1); }
  }
}
";

#[track_caller]
fn gets_full_marks(submission: &Path) {
    xtask(&["grade", "echo", "--only", "echo_server", "--submission", &text(submission)])
        .assert()
        .code(0)
        .stdout(contains("Score 81/81"));
}

// ---- languages ----

#[test]
fn a_python_submission_gets_full_marks() {
    if has("python3") {
        gets_full_marks(submission(&[("echo_server.py", &python())]).path());
    }
}

#[test]
fn a_c_submission_gets_full_marks_with_and_without_make() {
    if has("cc") && has("make") {
        let source = of_the_repository("mistakes/other_languages/echo_server.c");
        gets_full_marks(submission(&[("20-practical/echo_server.c", &source)]).path());
        let makefile = "echo_server: server.c\n\tcc -pthread -o echo_server server.c\n";
        let files = [("echo_server/server.c", source.as_str()), ("echo_server/Makefile", makefile)];
        gets_full_marks(submission(&files).path());
    }
}

#[test]
fn a_node_submission_gets_full_marks() {
    if has("node") {
        gets_full_marks(submission(&[("echo_server.js", NODE)]).path());
    }
}

#[test]
fn a_java_submission_gets_full_marks() {
    if has("javac") {
        // Older releases know neither Thread.ofPlatform nor `with` for an existing resource's
        // variable.
        let older = JAVA
            .replace("Thread.ofPlatform().daemon().start(() -> {", "Thread t = new Thread(() -> {")
            .replace(
                "catch (IOException e) { }\n        });",
                "catch (IOException e) { }\n        }); t.setDaemon(true); t.start();",
            );
        gets_full_marks(submission(&[("EchoServer.java", &older)]).path());
    }
}

#[test]
fn a_c_program_is_graded_by_its_command_line() {
    if !has("cc") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = folder.path().join("server");
    let source = root().join("practicals/echo/mistakes/other_languages/echo_server.c");
    let built = std::process::Command::new("cc")
        .args(["-O1", "-pthread", "-o"])
        .arg(&server)
        .arg(source)
        .status();
    assert!(built.unwrap().success());
    let command = format!("echo_server={} {{host}} {{port}}", server.display());
    xtask(&["grade", "echo", "--only", "echo_server", "--program", &command]).assert().code(0);
}

#[test]
fn a_node_program_is_graded_by_its_command_line() {
    if has("node") {
        let folder = submission(&[("server.js", NODE)]);
        let command =
            format!("echo_server=node {}/server.js {{host}} {{port}}", text(folder.path()));
        xtask(&["grade", "echo", "--only", "echo_server", "--program", &command]).assert().code(0);
    }
}

#[test]
fn a_lone_rust_file_is_enough() {
    let source = of_the_repository("solution/echo_server/src/main.rs");
    gets_full_marks(submission(&[("echo_server.rs", &source)]).path());
}

#[test]
fn a_language_that_is_not_installed_is_a_fault_with_its_name() {
    if Path::new("/usr/bin/go").exists() || Path::new("/usr/local/bin/go").exists() {
        println!("skipped: go is installed here");
        return;
    }
    let folder = submission(&[("echo_server.go", "package main\nfunc main() {}\n")]);
    xtask(&["grade", "echo", "--only", "echo_server", "--submission", &text(folder.path())])
        .env("PATH", "/usr/bin:/bin")
        .assert()
        .code(3)
        .stderr(contains("echo_server is written in Go, and there is no go on this machine"));
}

#[test]
fn a_program_that_is_missing_costs_its_own_checks() {
    let source = of_the_repository("solution/echo_server/src/main.rs");
    let folder = submission(&[("echo_server.rs", &source)]);
    let checks = ["--only", "echoes_short_message", "--only", "client_closes"];
    xtask(&[&["grade", "echo", "--submission", &text(folder.path())][..], &checks].concat())
        .assert()
        .code(1)
        .stdout(contains("echo_client is missing").and(contains("1 passed, 1 unbuilt")));
}

// ---- archives ----

fn pack(folder: &Path, name: &str, command: &[&str]) -> PathBuf {
    let archive =
        folder.parent().unwrap().join(format!("{}-{name}", folder.file_name().unwrap().display()));
    let status = std::process::Command::new(command[0])
        .args(&command[1..])
        .arg(&archive)
        .arg(".")
        .current_dir(folder)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    archive
}

#[test]
fn archives_of_the_same_program_are_not_mixed() {
    let right = of_the_repository("solution/echo_server/src/main.rs");
    let wrong = "fn main() {}\n";
    let mut commands = vec![("a.tar.gz", vec!["tar", "-czf"])];
    if has("python3") {
        commands.push(("a.zip", vec!["python3", "-m", "zipfile", "-c"]));
    }
    for (name, command) in commands {
        for (source, status) in [(right.as_str(), 0), (wrong, 1), (&right, 0)] {
            let folder = submission(&[("submission/echo_server/src/main.rs", source)]);
            let archive = pack(folder.path(), name, &command);
            xtask(&[
                "grade",
                "echo",
                "--only",
                "echoes_short_message",
                "--submission",
                &text(&archive),
            ])
            .assert()
            .code(status);
            fs::remove_file(archive).unwrap();
        }
    }
}

#[test]
fn a_damaged_archive_is_one_clear_line() {
    let folder = submission(&[("a.zip", "PK but no more")]);
    let archive = text(&folder.path().join("a.zip"));
    xtask(&["grade", "echo", "--submission", &archive])
        .assert()
        .code(2)
        .stderr(contains("it is damaged"));
}

// ---- what is left out is said ----

#[test]
fn what_is_refused_is_a_verdict_with_the_files_name() {
    let folder = submission(&[]);
    fs::create_dir_all(folder.path().join("echo_server/src")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("echo_server/src/main.rs"))
        .unwrap();
    xtask(&[
        "grade",
        "echo",
        "--only",
        "echo_server",
        "--report",
        "json",
        "--submission",
        &text(folder.path()),
    ])
    .assert()
    .code(1)
    .stdout(contains("echo_server is refused: src/main.rs is not a regular file"))
    .stderr(contains("echo_server is refused"));
}

#[test]
fn what_is_left_out_and_what_is_changed_is_listed() {
    let source = of_the_repository("solution/echo_server/src/main.rs");
    let folder = submission(&[
        ("echo_server/src/main.rs", &source),
        ("echo_server/build.rs", "fn main() { panic!() }"),
        (
            "echo_server/Cargo.toml",
            "[package]\nname = \"mine\"\nversion = \"9.0.0\"\nedition = \"2024\"\n",
        ),
    ]);
    xtask(&[
        "grade",
        "echo",
        "--only",
        "echoes_short_message",
        "--submission",
        &text(folder.path()),
    ])
    .assert()
    .code(0)
    .stdout(
        contains("left out: echo_server/build.rs")
            .and(contains("changed and not used: echo_server/Cargo.toml")),
    );
}

// ---- the confinement's account of itself ----

#[test]
fn the_self_test_notices_each_protection_that_is_left_out() {
    if !has_namespaces() {
        return;
    }
    let protections = [
        ("network", "not active: no network but its own"),
        ("processes", "not active: no other processes"),
        ("files", "not active: no files but its own"),
        ("environment", "not active: an empty environment"),
        ("privileges", "not active: no privileges"),
        ("landlock", "not active: Landlock"),
        ("seccomp", "not active: seccomp"),
        ("limits", "not active: limits on descriptors and processes"),
        ("disk", "not active: a limit on disk"),
        ("memory", "not active: a limit on memory"),
    ];
    std::thread::scope(|scope| {
        for (protection, says) in protections {
            scope.spawn(move || notices(protection, says));
        }
    });
}

/// Where the harness itself has inherited a descriptor, the program would.
#[test]
fn the_self_test_notices_a_descriptor_that_is_left_open() {
    let words =
        ["grade", "echo", "--solution", "--only", "reports_bad_arguments", "--report", "json"];
    let mut shell = Command::new("sh"); // which hands it on
    shell
        .args(["-c", "exec 9</dev/null; exec \"$0\" \"$@\""])
        .arg(assert_cmd::cargo::cargo_bin("xtask"))
        .args(words);
    says(shell.current_dir(root()), "handles", "not active: no descriptors of the grader's");
}

/// With namespaces it is the kernel that ends everything, and it cannot be told not to.
#[test]
fn the_self_test_notices_a_process_that_survives() {
    if !has("python3") {
        return;
    }
    let folder = submission(&[("echo_server.py", &python())]);
    let server = text(&folder.path().join("echo_server.py"));
    let command = format!("echo_server=python3 {server} {{host}} {{port}}");
    let words =
        ["grade", "echo", "--only", "rests_when_idle", "--report", "json", "--program", &command];
    says(xtask(&words).args(["--confine", "landlock"]), "end", "not active: a certain end");
    assert_eq!(processes_with(&server), 0, "the program itself has its end all the same");
}

#[track_caller]
fn notices(protection: &str, what: &str) {
    let words =
        ["grade", "echo", "--solution", "--only", "reports_bad_arguments", "--report", "json"];
    says(&mut xtask(&words), protection, what);
}

#[track_caller]
fn says(grading: &mut Command, protection: &str, says: &str) {
    let output = grading.env("SOCKET_PRACTICALS_WITHOUT", protection).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let statement = report["confinement"].to_string();
    let no_tier = ["not active: namespaces", "not active: Landlock: "]
        .iter()
        .any(|words| statement.contains(words));
    assert!(statement.contains(says) || no_tier, "{protection}: {statement}");
}

#[test]
fn what_is_required_and_missing_is_a_fault() {
    if has_namespaces() {
        xtask(&[
            "grade",
            "echo",
            "--solution",
            "--only",
            "reports_bad_arguments",
            "--confine",
            "required",
        ])
        .env("SOCKET_PRACTICALS_WITHOUT", "seccomp")
        .assert()
        .code(3)
        .stderr(contains("--confine required: not in force: seccomp"));
    }
}

#[test]
fn the_full_tier_says_what_it_has_verified() {
    if has_namespaces() {
        xtask(&[
            "grade",
            "echo",
            "--solution",
            "--only",
            "reports_bad_arguments",
            "--confine",
            "required",
        ])
        .assert()
        .code(0)
        .stdout(contains("verified: no").and(contains("not active").not()));
    }
}

// ---- many ----

/// What it holds is what it is judged by.
#[test]
fn a_program_cannot_make_itself_invisible() {
    if !has("python3") || !has_namespaces() {
        return;
    }
    let hides = "import ctypes, sys\nif ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) == 0: sys.exit(1)\n"; // PR_SET_DUMPABLE
    gets_full_marks(submission(&[("echo_server.py", &format!("{hides}{}", python()))]).path());
}

/// Two thirds of what a program may have, in each of several programs at the same time.
const A_THOUSAND_THREADS: &str = "
import socket, sys, threading, time
try:
    for n in range(1000): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    limited = b''
except RuntimeError:
    limited = b'limited'
time.sleep(0.5) # until the others have theirs
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    client, _ = server.accept()
    while data := client.recv(65536): client.sendall(limited or data)
    client.close()
";

#[test]
fn programs_that_run_at_the_same_time_share_no_limit() {
    if has("python3") {
        let folder = submission(&[("echo_server.py", A_THOUSAND_THREADS)]);
        xtask(&["grade", "echo", "--only", "exactness", "--submission", &text(folder.path())])
            .assert()
            .code(0);
    }
}

#[test]
fn servers_with_one_fixed_address_are_graded_side_by_side() {
    if has("python3") && has_namespaces() {
        many_on_one_port(8);
    }
}

#[test]
#[ignore = "takes minutes: .ci/run runs a part of it"]
fn two_hundred_gradings_on_one_fixed_port() {
    let gradings = std::env::var("GRADINGS").map_or(200, |number| number.parse().unwrap());
    if has("python3") && has_namespaces() {
        many_on_one_port(gradings);
    }
}

fn many_on_one_port(gradings: usize) {
    const AT_ONCE: usize = 8;
    let body = "import socket, threading\ns = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\ntry: s.bind(('127.0.0.1', 10000))\nexcept OSError as e: raise SystemExit(str(e))\ns.listen()\ndef echo(c):\n    try:\n        while data := c.recv(65536): c.sendall(data)\n    except OSError: pass\n    c.close()\nwhile True: threading.Thread(target=echo, args=(s.accept()[0],), daemon=True).start()\n";
    let folder = submission(&[("echo_server.py", body)]);
    let place = text(folder.path());
    let checks = [
        "flow",
        "exactness",
        "chunking",
        "clients",
        "close",
        "rests_when_idle",
        "reports_address_in_use",
    ];
    let checks: Vec<&str> = checks.iter().flat_map(|check| ["--only", check]).collect();
    let arguments =
        [&["grade", "echo", "--submission", &place, "--address", "127.0.0.1:10000"][..], &checks]
            .concat();
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < gradings {
                    xtask(&arguments).assert().code(0).stdout(contains("Score 79/79"));
                }
            });
        }
    });
}

/// Thirty submissions get beside ten hostile ones what each gets alone, and nothing is left.
#[test]
#[ignore = "takes minutes: .ci/run runs it"]
fn forty_submissions_of_which_ten_are_hostile() {
    // Unconfined, one of them would end every process of this user.
    if !has("python3") || !has_namespaces() {
        return;
    }
    let solution = of_the_repository("solution/echo_server/src/main.rs");
    let write = "client.write_all(&buffer[..count])";
    let reads_once = solution.replace(&format!("{write}?"), &format!("return {write}"));
    assert_ne!(reads_once, solution);
    let right = |n: usize| match n % 3 {
        0 => submission(&[("echo_server/src/main.rs", &solution)]),
        1 => submission(&[("echo_server/src/main.rs", &reads_once)]),
        _ => submission(&[("echo_server.py", &python())]),
    };
    let thirty: Vec<_> = (0..30).map(right).collect();
    let kinds: Vec<String> = thirty[..3].iter().map(|folder| score(folder.path())).collect();
    assert!(kinds[0] != kinds[1] && kinds[0] == kinds[2], "{kinds:?}");
    let alone: Vec<String> = kinds.iter().cycle().take(thirty.len()).cloned().collect();

    let word = format!("hostile{}", std::process::id()); // 15 bytes at most
    let ten = hostile(&word);
    let before = temporary_folders();
    let mut beside = Vec::new();
    for (at, folder) in thirty.iter().enumerate() {
        if at % 3 == 0 {
            assert_ne!(score(ten[at / 3].path()), alone[0], "hostile submission {}", at / 3);
        }
        beside.push(score(folder.path()));
    }
    assert_eq!(beside, alone);
    assert_eq!(temporary_folders(), before, "a temporary folder was left");
    assert_eq!(processes_called(&word), 0, "a process was left");
}

fn score(submission: &Path) -> String {
    let place = text(submission);
    let checks =
        ["--only", "exactness", "--only", "serves_clients_at_once", "--only", "survives_reset"];
    let arguments =
        [&["grade", "echo", "--report", "json", "--submission", &place][..], &checks].concat();
    let output = xtask(&arguments).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    format!("{}/{}", report["score"], report["max_score"])
}

fn hostile(word: &str) -> Vec<tempfile::TempDir> {
    let act = |body: &str| {
        let head =
            "import os, signal, socket, sys, time\nopen('/proc/self/comm', 'w').write('hostile')\n";
        let head = head.replace("hostile", word); // a name that children inherit, and that a look from outside finds
        submission(&[("echo_server.py", &format!("{head}{body}\n"))])
    };
    let link = submission(&[("echo_server/src/lib.rs", "")]);
    std::os::unix::fs::symlink("/etc/hostname", link.path().join("echo_server/src/main.rs"))
        .unwrap();
    let pipe = submission(&[("echo_server/src/lib.rs", "")]);
    let made = std::process::Command::new("mkfifo")
        .arg(pipe.path().join("echo_server/src/main.rs"))
        .status()
        .unwrap();
    assert!(made.success());
    let endless = "#![allow(long_running_const_eval)]\nconst N: u64 = { let mut n = 0u64; loop { n = n.wrapping_add(1); if n == u64::MAX { break n } } };\nfn main() { print!(\"{N}\") }\n";
    let zeros = "fn main() { print!(\"{}\", include_bytes!(\"/dev/zero\").len()) }\n";
    vec![
        act("while True:\n    if os.fork() == 0: time.sleep(600); os._exit(0)"),
        act("hold = [bytearray(b'x' * 1048576) for n in range(4000)]"),
        act("while True: os.write(1, b'x' * 1048576)"),
        act(
            "s = socket.socket(); s.bind((sys.argv[1], int(sys.argv[2]))); s.listen()\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)",
        ),
        act("for pid in range(2, 100000):\n    try: os.kill(pid, 9)\n    except OSError: pass"),
        act("f = open('large', 'wb')\nwhile True: f.write(b'x' * 1048576)"),
        submission(&[("echo_server/src/main.rs", zeros)]),
        link,
        pipe,
        submission(&[("echo_server/src/main.rs", endless)]),
    ]
}

fn temporary_folders() -> usize {
    let entries = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let ours = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("socket-practicals-"));
    // A folder whose lock is held belongs to a grading of somebody else's.
    ours.filter(|entry| {
        fs::File::open(entry.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok())
    })
    .count()
}

fn processes_with(word: &str) -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(word)).count()
}

fn processes_called(word: &str) -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let names = entries.filter_map(|entry| fs::read_to_string(entry.path().join("comm")).ok());
    names.filter(|name| name.trim_end() == word).count()
}
