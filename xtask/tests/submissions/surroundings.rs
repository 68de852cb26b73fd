//! The surroundings of a grading: what the environment, the shell and the parent process set must
//! not change a verdict.

use assert_cmd::Command;
use predicates::str::contains;
use tempfile::TempDir;

use crate::support::{folder_with, has, python, root, xtask};
use crate::{RIGHT_PYTHON, text};

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
