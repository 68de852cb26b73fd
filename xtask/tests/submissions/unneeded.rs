//! Names and kinds of files that no program needs: they are left out, and cost nothing.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use predicates::str::contains;

use crate::support::{folder_with, grade, has, report};
use crate::{RIGHT_PYTHON, SOLUTION, text};

/// Names that tools, systems and people leave beside a source.
const NAMES: [&str; 12] = [
    "._main.EXT",
    ".#main.EXT",
    "#main.EXT#",
    ".main.EXT.swp",
    "main.EXT~",
    "main copy.EXT",
    "main (1).EXT",
    "mäin.EXT",
    "Main.EXT",
    "aux.EXT",
    "old version/main.EXT",
    "__MACOSX/._main.EXT",
];

/// Adds all the names, links, a pipe and a socket to a folder of sources.
fn add_to(sources: &Path, ending: &str) {
    for name in NAMES {
        let place = sources.join(name.replace("EXT", ending));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, "\0 this is no source").unwrap();
    }
    let named = |name: &str| sources.join(format!("{name}.{ending}"));
    symlink("/etc/passwd", named("passwords")).unwrap();
    symlink("nowhere", named("broken")).unwrap();
    symlink(".", sources.join("circle")).unwrap();
    assert!(Command::new("mkfifo").arg(named("pipe")).status().unwrap().success());
    UnixListener::bind(named("socket")).unwrap();
}

/// Grades, and returns whether all passed, and the report.
fn graded(words: &str, place: &Path) -> (bool, String) {
    let report = report(&mut grade(words, place));
    (report["passed"] == true, format!("{report:#}"))
}

#[test]
fn a_python_program_is_graded_whatever_lies_beside_it() {
    if has("python3") {
        let folder = folder_with(&[("echo_server/main.py", &text(RIGHT_PYTHON))]);
        add_to(&folder.path().join("echo_server"), "py");
        let (passed, report) = graded("--only exactness", folder.path());
        assert!(passed && report.contains("main copy.py (a name is letters"), "{report}");
        assert!(report.contains("passwords.py (it is not a regular file)"), "{report}");
        assert!(!report.contains("._main.py") && !report.contains("__MACOSX"), "{report}");
    }
}

#[test]
fn a_crate_is_graded_whatever_lies_beside_its_sources() {
    let folder = folder_with(&[("echo_server/src/main.rs", &text(SOLUTION))]);
    add_to(&folder.path().join("echo_server/src"), "rs");
    add_to(&folder.path().join("echo_server"), "rs");
    let (passed, report) = graded("--only echoes_short_message", folder.path());
    assert!(passed && report.contains("src/main (1).rs (a name is letters"), "{report}");
}

#[test]
fn a_build_that_needs_what_was_left_out_says_so_beside_the_error() {
    let main = format!("mod mäin;\n{}", text(SOLUTION));
    let folder =
        folder_with(&[("echo_server/src/main.rs", &main), ("echo_server/src/mäin.rs", "")]);
    let graded = grade("--only echo_server", &folder).assert().code(1);
    graded.stdout(contains("= left out of the submission: echo_server/src/mäin.rs (a name"));
}

#[test]
fn a_crash_that_names_what_was_left_out_says_so_beside_it() {
    if !has("python3") {
        return;
    }
    let main = |begin: &str| format!("{begin}\n{}", text(RIGHT_PYTHON));
    let check = |begin: &str, file: &str, why: &str| {
        let folder = folder_with(&[("echo_server/main.py", &main(begin)), (file, "")]);
        let (passed, report) = graded("--only echoes_short_message", folder.path());
        let says = format!("left out of the submission: {file} ({why}");
        assert!(!passed && report.contains(&says), "{report}");
    };
    check("open('words.sqlite')", "echo_server/words.sqlite", "files of this kind");
    check("open('../words.txt')", "words.txt", "it is not in echo_server");
    check("open('my words.txt')", "echo_server/my words.txt", "a name is letters");
    let folder = folder_with(&[("echo_server/main.py", &main("import linked"))]);
    symlink("/etc/passwd", folder.path().join("echo_server/linked.py")).unwrap();
    let (passed, report) = graded("--only echoes_short_message", folder.path());
    assert!(!passed && report.contains("linked.py (it is not a regular file)"), "{report}");
}

#[test]
fn a_package_that_npm_has_installed_is_named() {
    if has("node") {
        let files = [
            ("echo_server/index.js", "const ws = require('ws');"),
            ("echo_server/node_modules/ws/index.js", ""),
        ];
        let (_, report) = graded("--only echoes_short_message", folder_with(&files).path());
        assert!(report.contains("echo_server/node_modules/ws (a program is built"), "{report}");
    }
}

/// What a manifest or a source names decides nothing outside of the submission.
#[test]
fn a_name_that_leads_outside_leads_nowhere() {
    let escape = std::env::temp_dir().join(format!("escaped-{}", std::process::id()));
    let path = escape.display();
    let package = format!("package {path};\npublic class EchoServer {{}}\n");
    let up = "package ..;\npackage x/../../../..;\npublic class EchoServer {}\n";
    let manifest = format!("{{ \"main\": \"{path}.js\" }}");
    fs::write(escape.with_extension("js"), "process.exit(7);").unwrap();
    for files in [
        [("echo_server/EchoServer.java", &*package)],
        [("EchoServer.java", up)],
        [("echo_server/package.json", &*manifest)],
        [("echo_server/package.json", "{ \"main\": \"../../../../../../etc/passwd\" }")],
    ] {
        let (passed, report) = graded_or_refused(folder_with(&files).path());
        assert!(!passed && !report.contains("root:") && !report.contains("is Node"), "{report}");
        assert!(!escape.exists());
    }
    fs::remove_file(escape.with_extension("js")).unwrap();
}

fn graded_or_refused(place: &Path) -> (bool, String) {
    let output = grade("--only echoes_short_message --report json", place).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_folder_with_very_many_files_costs_nothing() {
    if has("python3") {
        let folder = folder_with(&[("echo_server.py", &text(RIGHT_PYTHON)), ("data/x.csv", "")]);
        (0..10_100).for_each(|n| fs::write(folder.path().join(format!("data/{n}")), "").unwrap());
        assert!(graded("--only echoes_short_message", folder.path()).0);
    }
}
