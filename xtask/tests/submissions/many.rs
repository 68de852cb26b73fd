//! Many programs at the same time, and hostile ones among them.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use predicates::str::contains;
use tempfile::TempDir;

use crate::support::{folder_with, grade, has, python, report};
use crate::{RIGHT_PYTHON, SOLUTION, has_namespaces, text};

/// Starts two thirds of the threads that a program may have, in each of several programs at once.
const A_THOUSAND_THREADS: &str = "
    try:
        for n in range(1000):
            threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        limited = b''
    except RuntimeError:
        limited = b'limited'
    time.sleep(0.5) # until the other programs have theirs
    listen()
    while True:
        client, _ = s.accept()
        while data := client.recv(65536): client.sendall(limited or data)
        client.close()";

#[test]
fn programs_that_run_at_the_same_time_share_no_limit() {
    if has("python3") {
        let folder = folder_with(&[("echo_server.py", &python(A_THOUSAND_THREADS))]);
        grade("--only exactness", &folder).assert().code(0);
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

/// Grades all but the checks that need another address, eight times at once.
fn many_on_one_port(gradings: usize) {
    let server = "
        try: listen('127.0.0.1', 10000)
        except OSError as e: raise SystemExit(str(e))
        serve()";
    let folder = folder_with(&[("echo_server.py", &python(server))]);
    let words = "--address 127.0.0.1:10000 --only flow --only exactness --only chunking \
        --only clients --only close --only rests_when_idle --only reports_address_in_use";
    let next = AtomicUsize::new(0);
    let grade_some = || {
        while next.fetch_add(1, Ordering::Relaxed) < gradings {
            grade(words, &folder).assert().code(0).stdout(contains("Score 79/79"));
        }
    };
    std::thread::scope(|scope| (0..8).for_each(|_| _ = scope.spawn(grade_some)));
}

/// Thirty submissions get beside ten hostile ones what each gets alone, and nothing is left.
#[test]
#[ignore = "takes minutes: .ci/run runs it"]
fn forty_submissions_of_which_ten_are_hostile() {
    // Without confinement, one of them would end every process of this user.
    if !has("python3") || !has_namespaces() {
        return;
    }
    let thirty = thirty_submissions();
    let kinds: Vec<String> = thirty[..3].iter().map(score).collect();
    assert!(kinds[0] != kinds[1] && kinds[0] == kinds[2], "{kinds:?}");

    let word = format!("hostile{}", std::process::id()); // 15 bytes at most
    let ten = hostile_submissions(&word);
    let before = temporary_folders();
    for (at, folder) in thirty.iter().enumerate() {
        if at % 3 == 0 {
            assert_ne!(score(&ten[at / 3]), kinds[0], "hostile submission {}", at / 3);
        }
        assert_eq!(score(folder), kinds[at % 3], "submission {at}");
    }
    assert_eq!(temporary_folders(), before, "a temporary folder was left");
    assert_eq!(processes_called(&word), 0, "a process was left");
}

/// Makes a right, a wrong and a right submission, ten times.
fn thirty_submissions() -> Vec<TempDir> {
    let write = "client.write_all(&buffer[..count])";
    let reads_once = text(SOLUTION).replace(&format!("{write}?"), &format!("return {write}"));
    assert_ne!(reads_once, text(SOLUTION));
    let kinds = [
        ("echo_server/src/main.rs", text(SOLUTION)),
        ("echo_server/src/main.rs", reads_once),
        ("echo_server.py", text(RIGHT_PYTHON)),
    ];
    let thirty = kinds.iter().cycle().take(30);
    thirty.map(|(name, source)| folder_with(&[(name, source)])).collect()
}

fn score(submission: &TempDir) -> String {
    let only = "--only exactness --only serves_clients_at_once --only survives_reset";
    let report = report(&mut grade(only, submission));
    format!("{}/{}", report["score"], report["max_score"])
}

/// Makes ten hostile submissions. This word is the name of their processes and of all children.
fn hostile_submissions(word: &str) -> Vec<TempDir> {
    let act = |body: &str| {
        let named = format!("open('/proc/self/comm', 'w').write('{word}')\n{}", python(body));
        folder_with(&[("echo_server.py", &named)])
    };
    let rust = |source: &str| folder_with(&[("echo_server/src/main.rs", source)]);
    vec![
        act("while True:\n    if os.fork() == 0: time.sleep(600); os._exit(0)"),
        act("hold = [bytearray(b'x' * 1048576) for n in range(4000)]"),
        act("while True: os.write(1, b'x' * 1048576)"),
        act(HIDES),
        act("for pid in range(2, 100000):\n    try: os.kill(pid, 9)\n    except OSError: pass"),
        act("f = open('large', 'wb')\nwhile True: f.write(b'x' * 1048576)"),
        rust("fn main() { print!(\"{}\", include_bytes!(\"/dev/zero\").len()) }\n"),
        link(),
        pipe(),
        rust(ENDLESS),
    ]
}

const HIDES: &str = "
    listen()
    if os.fork(): os._exit(0)
    os.setsid()
    if os.fork(): os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)";

const ENDLESS: &str = "#![allow(long_running_const_eval)]
const N: u64 = {
    let mut n = 0u64;
    loop { n = n.wrapping_add(1); if n == u64::MAX { break n } }
};
fn main() { print!(\"{N}\") }
";

fn link() -> TempDir {
    let link = folder_with(&[("echo_server/src/lib.rs", "")]);
    symlink("/etc/hostname", link.path().join("echo_server/src/main.rs")).unwrap();
    link
}

fn pipe() -> TempDir {
    let pipe = folder_with(&[("echo_server/src/lib.rs", "")]);
    let place = pipe.path().join("echo_server/src/main.rs");
    assert!(Command::new("mkfifo").arg(place).status().unwrap().success());
    pipe
}

/// Counts the graders' temporary folders. One whose lock is held belongs to another grading.
fn temporary_folders() -> usize {
    let entries = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let graders = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("socket-practicals-"));
    let locks = graders.filter_map(|entry| fs::File::open(entry.path().join("lock")).ok());
    locks.filter(|lock| lock.try_lock().is_ok()).count()
}

fn processes_called(word: &str) -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let names = entries.filter_map(|entry| fs::read_to_string(entry.path().join("comm")).ok());
    names.filter(|name| name.trim_end() == word).count()
}
