//! What the command line of `--program` may read while it runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use predicates::str::contains;
use tempfile::TempDir;

use crate::support::{folder_with, has, program, python, xtask};
use crate::{RIGHT_PYTHON, has_namespaces, text};

/// Returns a folder with a server of two files and with wrappers of it.
fn folder() -> TempDir {
    let right = text(RIGHT_PYTHON);
    let folder = folder_with(&[
        ("server.py", &format!("import limits\n{right}")),
        ("limits.py", ""),
        ("echo/__init__.py", ""),
        ("echo/server.py", &right),
        (
            "run",
            "#!/bin/sh\n# as ../README.md says\nexec python3 \"$(dirname \"$0\")/server.py\" \"$@\"\n",
        ),
        ("run.sh", "cd \"$(dirname \"$0\")\"\nexec python3 ./server.py $1 $2\n"),
        (
            "start.py",
            "import os, sys\nos.execv(sys.executable, ['python', 'server.py'] + sys.argv[1:])\n",
        ),
        ("bin/run", "#!/bin/sh\nexec python3 \"$(dirname \"$0\")/../server.py\" \"$@\"\n"),
    ]);
    for wrapper in ["run", "bin/run"] {
        let place = folder.path().join(wrapper);
        fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

#[track_caller]
fn is_graded(here: &Path, command: &str) {
    let mut grade = xtask("grade echo --only echoes_short_message");
    let option = program("echo_server", command);
    grade.arg(option).current_dir(here).assert().code(0);
}

#[test]
fn a_program_may_have_its_files_in_the_current_folder() {
    if has("python3") {
        let folder = folder();
        for command in [
            "python3 server.py",
            "python3 -m server",
            "python3 -m echo.server",
            "python3 -c 'import runpy; runpy.run_module(\"server\", run_name=\"__main__\")'",
            "sh -c 'exec python3 server.py $0 $1'",
            "sh -c 'cd echo && exec python3 ./server.py $0 $1'",
            "sh run.sh",
            "./run",
            "bin/run",
            "python3 start.py",
        ] {
            is_graded(folder.path(), command);
        }
    }
}

#[test]
fn a_program_may_have_its_files_beside_the_executable() {
    if has("python3") {
        let folder = folder();
        let command = |name: &str| folder.path().join(name).display().to_string();
        is_graded(Path::new("/"), &command("run"));
        is_graded(Path::new("/"), &format!("sh {}", command("run.sh")));
        is_graded(Path::new("/"), &format!("env {}", command("run")));
    }
}

/// Checks that a command line which needs a private folder is a fault that names a path.
#[track_caller]
fn is_a_fault(folder: &TempDir, here: &Path, command: &str, path: &str) {
    let mut grade = xtask("grade echo --only echoes_short_message");
    let option = program("echo_server", command);
    grade.arg(option).current_dir(here).env("HOME", folder.path());
    let path = folder.path().join(path).display().to_string();
    grade.assert().code(3).stderr(contains(path + ", which cannot be read"));
}

#[test]
fn a_folder_that_holds_too_much_is_a_fault_with_the_path() {
    if has("python3") && has_namespaces() {
        let folder = folder();
        let here = folder.path();
        is_a_fault(&folder, here, "./run", "server.py");
        is_a_fault(&folder, here, "python3 -m server", "server.py");
        is_a_fault(&folder, here, "python3 -c 'import server'", "server.py");
        is_a_fault(&folder, Path::new("/"), &here.join("run").display().to_string(), "server.py");
        is_a_fault(
            &folder,
            Path::new("/"),
            &here.join("bin/run").display().to_string(),
            "server.py",
        );
    }
}

/// A right server, if it can neither read nor change what is the course's or git's.
const CURIOUS: &str = "
    import itertools
    names = ['solution/echo_server/src/main.rs', 'rubric.toml', '.git/config']
    tops = ['.', COURSE, COURSE + '/practicals/echo']
    for top, name, mode in itertools.product(tops, names, ['r', 'r+']):
        for path in [top + '/' + name, top + '/practicals/echo/' + name, top + '/../../' + name]:
            try: open(path, mode); sys.exit(9)
            except OSError: pass
    for top in tops[1:]:
        try: open(top + '/left', 'w')
        except OSError: pass
    listen(); serve()";

#[test]
fn the_course_and_git_are_closed_to_a_program_wherever_it_is_called() {
    if !has("python3") || !has_namespaces() {
        return;
    }
    let course = folder_with(&[(".git/config", "[core]\n"), ("practicals/echo/README.md", "")]);
    let echo = course.path().join("practicals/echo");
    for name in ["rubric.toml", "explanations.toml", "solution/echo_server/src/main.rs"] {
        fs::create_dir_all(echo.join(name).parent().unwrap()).unwrap();
        fs::write(echo.join(name), text(name)).unwrap();
    }
    let top = format!("{:?}", course.path().display().to_string());
    let curious = python(&CURIOUS.replace("COURSE", &top));
    let held = [("required", 0), ("landlock", 0)];
    for (here, tiers) in [("", &held[..]), ("practicals/echo", &[held[1], ("off", 1)])] {
        let here = course.path().join(here);
        fs::write(here.join("curious.py"), &curious).unwrap();
        for (tier, code) in tiers {
            let mut grade = xtask("grade echo --only echoes_short_message --confine");
            let option = program("echo_server", "python3 curious.py");
            grade.arg(tier).arg(option).current_dir(&here).assert().code(*code);
        }
    }
    assert!(!course.path().join("left").exists() && !echo.join("left").exists());
}
