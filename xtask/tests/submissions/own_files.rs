//! What a program may read and write of its own: files of any mode, and a log beside them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use tempfile::TempDir;

use crate::support::{c_server, folder_with, grade, has, program, python, report, xtask};
use crate::{RIGHT_PYTHON, text};

const ONE: &str = "--only echoes_short_message";
const TIERS: [&str; 2] = ["auto", "landlock"];

fn grade_in(tier: &str) -> Command {
    xtask(&format!("grade echo {ONE} --confine {tier}"))
}

fn set_mode(place: &Path, mode: u32) {
    fs::set_permissions(place, Permissions::from_mode(mode)).unwrap();
}

/// Makes a folder as `mktemp -d` makes one, with a right server that is its owner's alone.
fn private_server() -> (TempDir, String) {
    let folder = folder_with(&[("server.py", &text(RIGHT_PYTHON))]);
    let server = folder.path().join("server.py");
    set_mode(&server, 0o600);
    set_mode(folder.path(), 0o700);
    let command = format!("python3 {}", server.display());
    (folder, program("echo_server", command))
}

#[test]
fn a_script_of_its_owners_alone_is_graded() {
    if has("python3") {
        let (_folder, program) = private_server();
        for tier in TIERS {
            grade_in(tier).arg(&program).assert().code(0).stdout(contains("1 passed"));
        }
    }
}

#[test]
fn an_executable_of_its_owners_alone_is_graded() {
    let Some((folder, program)) = c_server() else { return };
    set_mode(&folder.path().join("echo_server"), 0o700);
    set_mode(folder.path(), 0o700);
    let is_root = fs::metadata("/proc/self").is_ok_and(|facts| {
        use std::os::unix::fs::MetadataExt;
        facts.uid() == 0
    });
    for tier in TIERS {
        let assert = grade_in(tier).arg(&program).assert();
        if tier == "landlock" && is_root {
            // There is no copy that the program's user may execute and not change.
            assert.code(3).stdout(contains("allow it: chmod a+rx"));
        } else {
            assert.code(0).stdout(contains("1 passed"));
        }
    }
}

/// What another user alone can read may not be opened for the program's user: there is no grade
/// then.
#[test]
fn a_file_that_cannot_be_read_is_a_fault_with_the_way_out() {
    let is_root = fs::metadata("/proc/self").is_ok_and(|facts| {
        use std::os::unix::fs::MetadataExt;
        facts.uid() == 0
    });
    if !has("python3") || !is_root {
        return;
    }
    for (tier, mode) in [("auto", 0o700), ("landlock", 0o700), ("auto", 0o755)] {
        let (folder, program) = private_server();
        chown(folder.path().join("server.py"), Some(4711), None).unwrap();
        chown(folder.path(), Some(4711), None).unwrap();
        set_mode(folder.path(), mode);
        let says = contains("cannot be read by the user that programs run as");
        let assert = grade_in(tier).arg(&program).assert();
        match assert.get_output().status.code() {
            // Root may pass a closed folder where Landlock limits what is read.
            Some(0) => assert!(mode == 0o755 || tier == "landlock", "{tier} {mode:o}"),
            _ => _ = assert.code(3).stdout(says.and(contains("chmod -R a+rX"))),
        }
    }
}

/// The server finds no file of an earlier launch.
const LOGS: &str = "
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'beside.log')
    for name in ['current.log', beside]:
        if name == beside or os.path.dirname(beside) != os.getcwd():
            assert not os.path.exists(name), name
        open(name, 'w').write('a log')
    listen(); serve()";

const TWO: &str = "--only echoes_short_message --only serves_next_client";

#[test]
fn a_submission_may_keep_a_log() {
    if !has("python3") {
        return;
    }
    for tier in TIERS {
        let folder = folder_with(&[("echo_server.py", &python(LOGS))]);
        grade(&format!("{TWO} --confine {tier}"), &folder).assert().code(0);
        let found = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(found, 1, "a log was left in the submission");
    }
}

/// Checks a command that is called in `here`, a folder beside the server's.
#[track_caller]
fn keeps_a_log(here: &str, command: &str) {
    for tier in TIERS {
        let files = [("own/server.py", &*python(LOGS)), ("other/empty", "")];
        let folder = folder_with(&files);
        let (own, other) = (folder.path().join("own"), folder.path().join("other"));
        let mut grade = xtask(&format!("grade echo {TWO} --confine {tier}"));
        let command = command.replace("FOLDER", &own.display().to_string());
        grade.current_dir(folder.path().join(here)).arg(program("echo_server", command));
        grade.assert().code(0);
        for place in [own, other] {
            assert_eq!(fs::read_dir(place).unwrap().count(), 1, "a log was left");
        }
    }
}

#[test]
fn a_command_may_keep_a_log_and_changes_nothing_where_it_was_called() {
    if has("python3") {
        keeps_a_log("own", "python3 server.py");
        keeps_a_log("own", "python3 FOLDER/server.py");
        keeps_a_log("other", "python3 FOLDER/server.py");
        keeps_a_log("other", "python3 ../own/server.py");
    }
}

#[test]
fn a_programs_words_name_its_own_place() {
    if !has("python3") {
        return;
    }
    for tier in TIERS {
        let folder = folder_with(&[("server.py", "import nothing_of_this_name\n")]);
        let server = folder.path().join("server.py");
        let mut grade = grade_in(tier);
        grade.arg(program("echo_server", format!("python3 {}", server.display())));
        let report = report(&mut grade);
        let said = report["checks"][0]["stderr_tail"].as_str().unwrap();
        assert!(said.contains(&format!("File \"{}\"", server.display())), "{said}");
    }
}

#[test]
fn a_command_cannot_change_a_file_where_it_was_called() {
    if !has("python3") {
        return;
    }
    let server = "
        open('notes.txt', 'w').write('changed')
        listen(); serve()";
    for tier in TIERS {
        let folder = folder_with(&[("server.py", &python(server)), ("notes.txt", "mine")]);
        let mut grade = grade_in(tier);
        grade.current_dir(folder.path()).arg(program("echo_server", "python3 server.py"));
        grade.assert().code(0);
        assert_eq!(fs::read_to_string(folder.path().join("notes.txt")).unwrap(), "mine");
    }
}
