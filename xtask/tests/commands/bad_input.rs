//! What is refused, with one clear line: wrong words, wrong places and wrong rubrics.

use std::fs;

use crate::support::{grade, xtask};
use crate::{course, refuses};

#[track_caller]
fn check(words: &str, says: &str) {
    refuses(&mut xtask(words), says);
}

#[test]
fn a_soak_of_nothing_is_no_pass() {
    check("verify echo --soak 1 --only reads_once", "what was not graded does not hold");
}

#[test]
fn an_unknown_practical_is_refused() {
    check("grade ecko", "there is no practical \"ecko\": there is echo");
}

#[test]
fn unknown_words_are_refused() {
    check("frobnicate", "there is no command \"frobnicate\"");
    check("grade echo --frobnicate", "--frobnicate");
    check(
        "grade echo --only nothing",
        "--only nothing: echo has no check, group or program called",
    );
    check("grade echo --report pdf", "there is no such format");
    check("explain echoes_evry_size", "did you mean echoes_every_");
    check("explain read_once", "did you mean reads_once");
}

#[test]
fn what_is_not_there_yet_is_refused_not_ignored() {
    check("class submissions", "not there yet");
}

#[track_caller]
fn check_program(command: &str, says: &str) {
    refuses(xtask("grade echo --program").arg(command), says);
}

#[test]
fn a_command_line_without_a_place_for_the_port_is_refused() {
    check_program("echo_server=python3 server.py", "no {port}");
    check_program("echo_serv=x {port}", "has no such program");
    check_program("echo_server=./nothing {port}", "there is no executable \"./nothing\"");
}

#[cfg(unix)]
#[test]
fn a_file_that_is_no_program_is_refused() {
    check_program("echo_server=/etc/passwd {port}", "there is no executable");
}

#[test]
fn what_would_be_ignored_is_refused() {
    let right = "--program=echo_server=cargo {host} {port}";
    refuses(xtask("grade echo --address 127.0.0.1:10000").arg(right), "--address goes with");
    refuses(xtask("grade echo").args([right, right]), "given twice");
    let nowhere = "grade echo --program echo_server=cargo --address 127.0.0.1:0";
    check(nowhere, "write HOST:PORT");
    let missing = "grade echo --report json=/no/such/folder/verdict.json";
    check(missing, "there is no such folder");
    check("grade echo --report json=/tmp", "--report json=/tmp: that is a folder");
    let same = "grade echo --report json=verdict --report html=verdict";
    check(same, "--report html=verdict: --report json goes there, too");
    let attack = "verify echo --attacks --only no_such_attack";
    check(attack, "no_such_attack: there is no such row");
    refuses(xtask("release").arg(""), "where to?");
    check("release Cargo.toml", "that is a file");
    check("watch no_such_practical", "no_such_practical");
}

#[test]
fn a_submission_without_the_programs_is_refused() {
    let empty = tempfile::tempdir().unwrap();
    refuses(&mut grade("", &empty), "no echo_server/Cargo.toml in");
    refuses(&mut grade("", "/nowhere/at/all"), "there is no such folder");
}

#[cfg(unix)]
#[test]
fn no_cargo_is_one_clear_line() {
    let course = course();
    let mut grade = xtask("grade echo");
    grade.current_dir(course.path()).env("PATH", "").env_remove("CARGO");
    refuses(&mut grade, "there is no cargo on PATH: install Rust");
}

#[test]
fn a_name_that_cannot_be_a_practicals_is_refused() {
    check("new", "what is it called?");
    refuses(xtask("new").arg("Chat Room"), "cannot be a practical's name");
    check("new echo", "there is a practical \"echo\" already");
}

/// Checks a course whose rubric has one text in the place of another.
#[track_caller]
fn check_rubric(from: &str, to: &str, says: &str) {
    let course = course();
    let path = course.path().join("practicals/echo/rubric.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    refuses(xtask("grade echo --solution").current_dir(course.path()), says);
}

#[test]
fn a_wrong_rubric_is_refused_with_its_line() {
    let unknown = "practicals/echo/rubric.toml:4: unknown field `colour`";
    check_rubric("title ", "colour = 1\ntitle ", unknown);
    check_rubric("\"echoes_short_message\"", "\"echoes_shout\"", "has no check \"echoes_shout\"");
    check_rubric("points = 6", "points = 60", "the points add up to 154, not to 100");
    let circle = "points = 6\nneeds  = [\"adds_nothing\"]";
    check_rubric("points = 6\nneeds  = []", circle, "needs go in a circle");
    check_rubric("title ", "title = title", "practicals/echo/rubric.toml:4:");
}

#[test]
fn an_unreadable_rubric_is_refused() {
    let course = course();
    fs::remove_file(course.path().join("practicals/echo/rubric.toml")).unwrap();
    let unread = "the rubric practicals/echo/rubric.toml cannot be read";
    refuses(xtask("grade echo").current_dir(course.path()), unread);
}

/// A pipe has no end, and `/dev/zero` neither. A file of a terabyte needs no room on disk.
#[cfg(unix)]
#[test]
fn a_course_file_that_is_no_file_is_one_line_for_every_command() {
    use std::os::unix::fs::symlink;
    let pipe = |place: &std::path::Path| {
        assert!(std::process::Command::new("mkfifo").arg(place).status().unwrap().success());
    };
    let large = |place: &std::path::Path| {
        fs::File::create(place).unwrap().set_len(1 << 40).unwrap();
    };
    let endless = |place: &std::path::Path| symlink("/dev/zero", place).unwrap();
    let makes: [fn(&std::path::Path); 3] = [pipe, large, endless];
    let no_file = "it is not a regular file";
    let makes = makes.into_iter().zip([no_file, "1099511627776 bytes", no_file]);
    for name in ["rubric.toml", "explanations.toml"] {
        for (make, says) in makes.clone() {
            let course = course();
            let file = course.path().join("practicals/echo").join(name);
            fs::remove_file(&file).unwrap();
            make(&file);
            for words in ["list", "explain reads_once", "grade echo", "release out", "verify echo"]
            {
                let mut command = xtask(words);
                command.current_dir(course.path()).timeout(std::time::Duration::from_secs(30));
                refuses(&mut command, says);
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_new_practical_is_not_written_through_a_link() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    let suite = crate::support::root().join("tests/src/practicals.rs");
    for link in ["practicals/chat", "practicals/chat/README.md", "tests/src/practicals/chat"] {
        let course = course();
        let link = course.path().join(link);
        fs::create_dir_all(course.path().join("tests/src/practicals")).unwrap();
        fs::copy(&suite, course.path().join("tests/src/practicals.rs")).unwrap();
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(outside.path().join("none"), &link).unwrap();
        let mut new = xtask("new chat");
        refuses(new.current_dir(course.path()), "is there already: choose another name");
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}
