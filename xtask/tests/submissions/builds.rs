//! What builds leave behind, and folders that change while they are graded.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;

use crate::support::{echo, folder_with, has, process, processes_with, python, root};

/// Copies the grader, so that the test sees all that it keeps.
fn grader() -> TempDir {
    let target = tempfile::tempdir().unwrap();
    fs::create_dir(target.path().join("debug")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_xtask"), target.path().join("debug/xtask")).unwrap();
    target
}

/// Returns the bytes of all files in a folder.
fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let size = |entry: fs::DirEntry| match entry.file_type().unwrap().is_dir() {
        true => bytes_in(&entry.path()),
        false => entry.metadata().unwrap().len(),
    };
    entries.map(size).sum()
}

#[test]
fn of_a_build_only_the_program_is_left() {
    if !has("cc") || !has("make") || !has("python3") {
        return;
    }
    let makefile = "echo_server:\n\tcc -O1 -pthread -o $@ echo_server.c\n\
        \ttruncate -s 300M large.o\n\tmkdir -p closed/within\n\tchmod 0 closed\n\
        \tpython3 -c \"import os; [(os.mkdir('deeper'), os.chdir('deeper')) for n in range(999)]\"\n";
    let source = fs::read_to_string(echo("mistakes/other_languages/echo_server.c")).unwrap();
    let files = [("echo_server/Makefile", makefile), ("echo_server/echo_server.c", &source)];
    let (submission, target) = (folder_with(&files), grader());
    let scratch = tempfile::tempdir().unwrap();
    for tier in ["auto", "landlock", "auto"] {
        let mut grade = std::process::Command::new(target.path().join("debug/xtask"));
        grade.args(["grade", "echo", "--only", "echoes_short_message", "--confine", tier]);
        grade.arg("--submission").arg(submission.path()).current_dir(root());
        let output = grade.env("TMPDIR", scratch.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
    }
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "a temporary folder was left");
    let kept = bytes_in(&target.path().join("practicals"));
    assert!(kept < 1_000_000, "{kept} bytes are kept");
}

const WRONG: &str = "listen(); s.accept()[0].sendall(b'wrong')";

/// Another grading, or the student, may change the folder at any time.
#[test]
fn a_folder_that_changes_is_graded_as_it_was() {
    if !has("python3") {
        return;
    }
    let slow = python("time.sleep(1.5); listen(); serve()");
    let submission = folder_with(&[("echo_server.py", &slow)]);
    let grade = |only: &str| {
        let mut grade = process(&format!("grade echo --jobs 1 {only} --submission"));
        grade.arg(submission.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        grade
    };
    let two = "--only echoes_short_message --only echoes_every_byte_value";
    // Other tests grade servers of the same name.
    let place = tempfile::tempdir().unwrap();
    let is_of_the_first = |line: &String| line.contains(&*place.path().to_string_lossy());
    let first = grade(two).env("TMPDIR", place.path()).spawn().unwrap();
    let begin = std::time::Instant::now();
    while !processes_with("echo_server.py 127.0.0.1").iter().any(is_of_the_first) {
        assert!(begin.elapsed().as_secs() < 60, "the first grading has not begun");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }

    fs::write(submission.path().join("echo_server.py"), python(WRONG)).unwrap();
    let second = grade("--only echoes_short_message").output().unwrap();
    let first = first.wait_with_output().unwrap();

    assert_eq!(second.status.code(), Some(1));
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stdout));
}

/// Closes the folder of each other build whose command line it reads, for two seconds.
const CLOSES_OTHERS: &str = "\
import os, time
own = os.getcwd()
end = time.time() + 2
while time.time() < end:
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try: words = open(f'/proc/{pid}/cmdline').read().split('\\0')
        except OSError: continue
        for word in words:
            if '/build/echo_server/out' in word and 'SCRATCH' in word and not word.startswith(own):
                try: os.chmod(word, 0)
                except OSError: pass
";

/// Two builds of an ordinary user have the same user, and so only root's are tried without
/// namespaces.
#[test]
fn no_build_changes_the_folder_of_another() {
    let is_root = rustix::process::getuid().is_root();
    if !has("cc") || !has("make") || !has("python3") || !is_root {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let act = CLOSES_OTHERS.replace("SCRATCH", &scratch.path().display().to_string());
    let act = format!(
        "echo_server:\n\tsed -n 's/^# //p' Makefile | python3\n# {}",
        act.replace('\n', "\n# ")
    );
    let source = fs::read_to_string(echo("mistakes/other_languages/echo_server.c")).unwrap();
    let right = "echo_server:\n\tsleep 1\n\tcc -O1 -pthread -o $@ echo_server.c\n";
    let files = [("echo_server/Makefile", right), ("echo_server/echo_server.c", &source)];
    let (hostile, right) = (folder_with(&[("echo_server/Makefile", &act)]), folder_with(&files));
    for tier in ["auto", "landlock"] {
        let grade = |submission: &TempDir| {
            let words = format!("grade echo --only echoes_short_message --confine {tier}");
            let mut grade = process(&words);
            grade.arg("--submission").arg(submission.path()).env("TMPDIR", scratch.path());
            grade.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
        };
        let (hostile, right) = (grade(&hostile), grade(&right));
        let right = right.wait_with_output().unwrap();
        assert!(right.status.success(), "{tier}: {}", String::from_utf8_lossy(&right.stdout));
        assert_eq!(hostile.wait_with_output().unwrap().status.code(), Some(1), "{tier}");
    }
}
