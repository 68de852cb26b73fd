//! The surroundings of a grading: what the environment, the shell and the parent process set must
//! not change a verdict.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use tempfile::TempDir;

use crate::support::{folder_with, has, python, root, xtask};
use crate::{RIGHT_PYTHON, SOLUTION, text};

const ONE: &str = "grade echo --only echoes_short_message";

/// Both tiers of Linux. A machine that cannot have one takes the next.
const TIERS: [&str; 2] = ["auto", "landlock"];

/// Grades after a shell has done `first`.
fn after(first: &str, words: &str) -> Command {
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("{first}; exec \"$0\" \"$@\"")]).arg(env!("CARGO_BIN_EXE_xtask"));
    shell.args(words.split_whitespace()).current_dir(root());
    shell
}

/// Checks that a right server passes after a shell has done `first`, in both tiers.
#[track_caller]
fn passes_after(first: &str, folder: &TempDir) {
    for tier in TIERS {
        let mut grade = after(first, &format!("{ONE} --confine {tier} --submission"));
        grade.arg(folder.path()).assert().code(0).stdout(contains("1 passed"));
    }
}

#[test]
fn no_mask_of_new_files_keeps_a_program_from_starting() {
    if has("python3") {
        let folder = folder_with(&[("echo_server.py", &text(RIGHT_PYTHON))]);
        passes_after("umask 027", &folder);
        passes_after("umask 077", &folder);
    }
}

#[test]
fn no_mask_of_new_files_keeps_a_program_from_being_built() {
    if has("cc") {
        let source = text("mistakes/other_languages/echo_server.c");
        passes_after("umask 077", &folder_with(&[("echo_server.c", &source)]));
    }
}

/// The server says which signals it finds ignored: SIGPIPE and SIGXFSZ are Python's own.
const OBEYS_SIGNALS: &str = "
    ignored = [s for s in signal.valid_signals() if signal.getsignal(s) == signal.SIG_IGN]
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert set(ignored) <= {signal.SIGPIPE, signal.SIGXFSZ} and not blocked, (ignored, blocked)
    listen(); serve()";

#[test]
fn what_the_parent_ignores_the_programs_obey() {
    if has("python3") {
        let folder = folder_with(&[("echo_server.py", &python(OBEYS_SIGNALS))]);
        let signals = "trap '' CHLD HUP INT QUIT PIPE ALRM TERM USR1 USR2 TSTP TTIN TTOU WINCH IO";
        passes_after(signals, &folder);
        passes_after("exec <&- 2>&-", &folder);
    }
}

#[test]
fn what_the_parent_blocks_the_programs_hear() {
    if has("python3") {
        let folder = folder_with(&[("echo_server.py", &python(OBEYS_SIGNALS))]);
        let block = "import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])";
        let mut blocked = Command::new("python3");
        blocked.args(["-c", block, env!("CARGO_BIN_EXE_xtask")]).current_dir(root());
        blocked.args(ONE.split_whitespace()).arg("--submission").arg(folder.path());
        blocked.assert().code(0).stdout(contains("1 passed"));
    }
}

/// A parent that ignores SIGCHLD reaps what the grader waits for.
#[test]
fn an_ignored_end_of_children_is_not_a_missing_toolchain() {
    let words = format!("{ONE} --solution");
    after("trap '' CHLD", &words).assert().code(0).stdout(contains("1 passed"));
}

#[test]
fn odd_words_in_the_environment_change_nothing() {
    if has("python3") {
        let folder = folder_with(&[("echo_server.py", &text(RIGHT_PYTHON))]);
        for tier in ["auto", "landlock", "off"] {
            let mut grade = xtask(&format!("{ONE} --confine {tier} --submission"));
            grade.arg(folder.path()).env_remove("HOME").envs(ODD);
            grade.assert().code(0).stdout(contains("1 passed"));
        }
    }
}

const ODD: [(&str, &str); 9] = [
    ("LANG", "tlh_XX.KOI8"),
    ("LC_ALL", "no such locale"),
    ("TZ", "/no/such/zone"),
    ("PYTHONHOME", "/no/such/home"),
    ("PYTHONPATH", "/no/such/path"),
    ("PYTHONSTARTUP", "/no/such/file"),
    ("NODE_OPTIONS", "--require /no/such/file.js"),
    ("JAVA_TOOL_OPTIONS", "-XX:NoSuchOption"),
    ("JDK_JAVA_OPTIONS", "-XX:NoSuchOption"),
];

/// Returns the echo solution's server with an import that it does not use: a warning.
fn server_with_a_warning() -> TempDir {
    let source = text(SOLUTION).replacen("use std", "use std::fs::File;\nuse std", 1);
    assert_ne!(source, text(SOLUTION));
    folder_with(&[("echo_server/src/main.rs", &source)])
}

#[test]
fn settings_of_builds_are_not_a_submissions() {
    let folder = server_with_a_warning();
    for tier in TIERS {
        let mut grade = xtask(&format!("{ONE} --confine {tier} --submission"));
        grade.arg(folder.path()).envs(BUILD_SETTINGS);
        grade.assert().code(0).stdout(contains("1 passed"));
    }
}

const BUILD_SETTINGS: [(&str, &str); 9] = [
    ("RUSTFLAGS", "-D warnings"),
    ("CARGO_ENCODED_RUSTFLAGS", "-D\u{1f}warnings"),
    ("CARGO_BUILD_RUSTFLAGS", "-D warnings"),
    ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-D warnings"),
    ("CARGO_BUILD_TARGET", "wasm32-unknown-unknown"),
    ("CARGO_TARGET_DIR", "/no/such/folder"),
    ("CARGO_PROFILE_DEV_OPT_LEVEL", "no level"),
    ("RUSTC_WRAPPER", "/no/such/wrapper"),
    ("RUSTC", "/no/such/compiler"),
];

/// Cargo looks for settings in every folder above the one that it is started in, and in its own.
#[test]
fn settings_above_the_temporary_folder_and_of_cargo_are_not_a_submissions() {
    let above = folder_with(&[
        (".cargo/config.toml", "[build]\nrustflags = [\"-D\", \"warnings\"]\n"),
        ("temporary/empty", ""),
    ]);
    let folder = server_with_a_warning();
    for tier in TIERS {
        let mut grade = xtask(&format!("{ONE} --confine {tier} --submission"));
        grade.arg(folder.path()).env("TMPDIR", above.path().join("temporary"));
        grade.env("CARGO_HOME", above.path().join(".cargo"));
        grade.assert().code(0).stdout(contains("1 passed"));
    }
}

#[test]
fn a_missing_temporary_folder_is_a_fault_with_the_way_out() {
    let mut grade = xtask(&format!("{ONE} --solution"));
    let says = "cannot make a temporary folder in /no/such/folder";
    let assert = grade.env("TMPDIR", "/no/such/folder").assert().code(3);
    assert.stderr(contains(says).and(contains("set TMPDIR")));
}

/// A machine that downloads from a mirror alone. Here the mirror is a folder of sources.
struct Mirror {
    _crates: TempDir,
    cargo_home: TempDir,
    course: TempDir,
}

impl Mirror {
    /// Copies the dependencies of the multiconn practical; `None` where this machine has none.
    fn new() -> Option<Self> {
        let manifest = root().join("practicals/multiconn/solution/multiconn_server/Cargo.toml");
        let crates = tempfile::tempdir().unwrap();
        let mut vendor = std::process::Command::new("cargo");
        vendor.args(["vendor", "--quiet", "--locked", "--manifest-path"]).arg(manifest);
        if !vendor.arg(crates.path().join("all")).output().unwrap().status.success() {
            println!("skipped: the dependencies of multiconn cannot be downloaded");
            return None;
        }
        let settings = format!(
            "[source.crates-io]\nreplace-with = \"ours\"\n[source.ours]\ndirectory = {:?}\n",
            crates.path().join("all")
        );
        let credentials = "[registry]\ntoken = \"a secret\"\n";
        let files = [("config.toml", &*settings), ("credentials.toml", credentials)];
        Some(Self { _crates: crates, cargo_home: folder_with(&files), course: course() })
    }

    /// Grades in the course, without any other source of crates.
    fn grade(&self, words: &str) -> Command {
        let mut grade = xtask(words);
        grade.current_dir(self.course.path()).env("CARGO_HOME", self.cargo_home.path());
        grade.env("CARGO_NET_OFFLINE", "true").env("https_proxy", "http://127.0.0.1:1");
        grade
    }
}

/// Removes what the harness has copied from the mirror.
impl Drop for Mirror {
    fn drop(&mut self) {
        let lock = self.course.path().join("practicals/multiconn/multiconn_server/Cargo.lock");
        let hash = suite::Fnv::default().bytes(&fs::read(lock).unwrap()).finish();
        let executable = Path::new(env!("CARGO_BIN_EXE_xtask"));
        let target = executable.ancestors().nth(2).unwrap().join("practicals");
        let copies = fs::read_dir(target.join("vendored")).unwrap().flatten();
        let is_ours =
            |name: std::ffi::OsString| name.to_string_lossy().starts_with(&format!("{hash:016x}"));
        for copy in copies.filter(|copy| is_ours(copy.file_name())) {
            match copy.path().is_dir() {
                true => fs::remove_dir_all(copy.path()).unwrap(),
                false => fs::remove_file(copy.path()).unwrap(),
            }
        }
    }
}

/// Makes a course with the multiconn practical. Its lock file differs, so that nothing that was
/// copied before serves it.
fn course() -> TempDir {
    let text = |path: &str| fs::read_to_string(root().join("practicals").join(path)).unwrap();
    let random = tempfile::tempdir().unwrap();
    let lock = text("multiconn/multiconn_server/Cargo.lock");
    let files = [
        ("echo/explanations.toml", text("echo/explanations.toml")),
        ("multiconn/explanations.toml", text("multiconn/explanations.toml")),
        ("multiconn/rubric.toml", text("multiconn/rubric.toml")),
        ("multiconn/multiconn_server/Cargo.toml", text("multiconn/multiconn_server/Cargo.toml")),
        ("multiconn/multiconn_server/Cargo.lock", format!("{lock}# {random:?}\n")),
        ("multiconn/multiconn_server/src/main.rs", text(MULTICONN)),
    ];
    let files = files.map(|(name, content)| (format!("practicals/{name}"), content));
    folder_with(&files.each_ref().map(|(name, content)| (&**name, &**content)))
}

const MULTICONN: &str = "multiconn/solution/multiconn_server/src/main.rs";

#[test]
fn what_a_mirror_has_is_built_in_each_tier() {
    let Some(mirror) = Mirror::new() else { return };
    for tier in TIERS {
        let words = format!("grade multiconn --only echoes_short_message --confine {tier}");
        mirror.grade(&words).assert().code(0).stdout(contains("1 passed"));
    }
}

#[test]
fn dependencies_that_cannot_be_downloaded_are_a_fault_with_the_way_out() {
    let (course, empty) = (course(), tempfile::tempdir().unwrap());
    let mut grade = xtask("grade multiconn --only echoes_short_message");
    grade.current_dir(course.path()).env("CARGO_HOME", empty.path());
    grade.env("https_proxy", "http://127.0.0.1:1").env("CARGO_NET_RETRY", "0");
    let says = "the dependencies of multiconn_server cannot be downloaded: ";
    let and = contains("name a mirror in cargo's settings").and(contains("target/").not());
    grade.assert().code(3).stderr(contains(says).and(and));
}

#[test]
fn cargos_secrets_are_not_shown_to_a_submission() {
    let Some(mirror) = Mirror::new() else { return };
    let credentials = mirror.cargo_home.path().join("credentials.toml");
    let source = format!("fn main() {{ print!(include_str!({credentials:?})) }}\n");
    let folder = folder_with(&[("multiconn_server/src/main.rs", &source)]);
    for tier in TIERS {
        let words = format!("grade multiconn --only echoes_short_message --confine {tier}");
        let mut grade = mirror.grade(&words);
        let assert = grade.arg("--submission").arg(folder.path()).assert().code(1);
        assert.stdout(contains("does not compile")).stdout(contains("a secret").not());
    }
}
