//! What a grading leaves behind: no process and no folder, even when it was killed.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::support::{process, processes_with, root, xtask};
use crate::{python_program, soon, start};

#[test]
fn nothing_is_left_of_a_program_that_forks_and_hides() {
    let server = "
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(600)
            os._exit(0)
        listen(); time.sleep(600)";
    let Some((folder, program)) = python_program(server) else { return };
    let scratch = tempfile::tempdir().unwrap();
    let mut grade = xtask("grade echo --only echoes_short_message");
    let name = folder.path().file_name().unwrap().display().to_string();
    let program = format!("{program} {name}");
    grade.arg(program).env("TMPDIR", scratch.path()).assert().code(1);

    assert_eq!(processes_with(&name), Vec::<String>::new());
    assert_eq!(entries(&scratch), 0, "a temporary folder was left");
}

/// Removing a tree must not need a path or a descriptor for each level, nor the modes as they are.
#[test]
fn nothing_is_left_of_closed_folders_and_deep_trees() {
    let server = "
        os.makedirs('closed/within'); os.chmod('closed/within', 0); os.chmod('closed', 0)
        for n in range(6000): os.mkdir('deeper'); os.chdir('deeper')
        listen(); serve()";
    let Some((_folder, program)) = python_program(server) else { return };
    let scratch = tempfile::tempdir().unwrap();
    let mut grade = xtask("grade echo --only echoes_short_message --confine landlock");
    grade.arg(program).env("TMPDIR", scratch.path()).assert().code(0);
    assert_eq!(entries(&scratch), 0, "a temporary folder was left");
}

/// Opening a pipe waits for its other end. Anyone may make one in a shared temporary folder.
#[test]
fn a_pipe_in_the_place_of_another_runs_lock_holds_nothing_up() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("socket-practicals-x");
    fs::create_dir(&folder).unwrap();
    for pipe in [folder.join("lock"), scratch.path().join("socket-practicals-y")] {
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    }
    let mut grade = xtask("grade echo --solution --only reports_bad_arguments");
    let grade = grade.env("TMPDIR", scratch.path()).timeout(Duration::from_secs(60));
    grade.assert().code(0);
}

fn entries(folder: &tempfile::TempDir) -> usize {
    fs::read_dir(folder.path()).unwrap().count()
}

#[test]
fn nothing_is_left_of_a_grading_that_was_killed() {
    ["auto", "landlock", "off"].into_iter().for_each(kill_a_grading);
}

fn kill_a_grading(confine: &str) {
    // This server never listens and never stops, so the grading goes on for seconds.
    let server = "
        if os.fork() == 0: os.setsid()
        while True: time.sleep(0.05)";
    let Some((folder, program)) = python_program(server) else { return };
    let name = folder.path().file_name().unwrap().display().to_string();
    let program = format!("{program} {name}"); // it may run from a copy of its folder
    let scratch = tempfile::tempdir().unwrap();
    let mut grade = process("grade echo --only echoes_short_message --confine");
    let mut grading = start(grade.arg(confine).arg(program).env("TMPDIR", scratch.path()));
    soon("the program was never started", || processes_with(&name).len() >= 3);
    let helpers = children(grading.id());
    assert!(!helpers.is_empty());

    grading.kill().unwrap();
    grading.wait().unwrap();

    soon(&format!("{confine}: processes were left"), || processes_with(&name).is_empty());
    soon("the grader's own processes were left", || helpers.iter().all(|pid| has_ended(pid)));
    assert_eq!(entries(&scratch), 1, "the killed grading had a temporary folder");
    let mut next = xtask("grade echo --solution --only reports_bad_arguments");
    next.env("TMPDIR", scratch.path()).assert().code(0);
    assert_eq!(entries(&scratch), 0, "the next run removes the folder");
}

fn children(of: u32) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{of}/task")).unwrap().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Tells whether a process is gone, or is a zombie that waits for its parent.
fn has_ended(pid: &str) -> bool {
    !fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// A build replaces the executable while it grades: the process then has no file any more.
#[test]
fn a_grader_that_is_built_anew_in_the_meantime_grades_on() {
    let target = tempfile::tempdir().unwrap();
    let executable = target.path().join("debug/xtask");
    fs::create_dir(executable.parent().unwrap()).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_xtask"), &executable).unwrap();

    let mut grading = std::process::Command::new(&executable);
    grading.args(["grade", "echo", "--solution", "--only", "listens_on_given_address"]);
    grading.current_dir(root()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let grading = grading.spawn().unwrap();
    fs::remove_file(&executable).unwrap();

    let ended = grading.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    let messages = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && said.contains("1 passed"), "{messages}");
}
