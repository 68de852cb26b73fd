//! What no command prints, whatever its words and the names and programs of a submission hold:
//! commands for a terminal, lines of their own, and what a reader cannot see.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Output;

use assert_cmd::Command;

use crate::reports::FILES;
use crate::support::{has, xtask};

/// A terminal is cleared, a title is set, a runner is commanded, and the rest turns what follows
/// round or is not seen.
const HOSTILE: &str = "a\x1b[2J\x1b]0;title\x07\x1b[32m\n::error::no\r##[error]no\u{9b}1m\u{85}\u{ad}\u{61c}\
    \u{200b}\u{200f}\u{2028}\u{202e}\u{2066}\u{fe0f}\u{feff}\u{e000}\u{e0041}\u{e0100}\u{100000}z";

/// The same, with bytes that are no text.
fn hostile() -> OsString {
    let bytes = [HOSTILE.as_bytes(), b"\xed\xa0\x80\x9b2J\xff"].concat();
    OsStr::from_bytes(&bytes).to_owned()
}

/// Checks that a text has none of these characters, except for the harness's own styles.
#[track_caller]
fn check(what: &str, text: &[u8]) {
    let text = std::str::from_utf8(text).unwrap_or_else(|_| panic!("{what} is no text"));
    let styles = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"];
    let text = styles.iter().fold(text.to_owned(), |text, style| text.replace(style, ""));
    let is_seen = |c: &char| c.is_ascii() && !c.is_ascii_control();
    let forbidden: Vec<char> = HOSTILE.chars().filter(|c| !is_seen(c) && *c != '\n').collect();
    let found = text.find(|c| forbidden.contains(&c));
    assert_eq!(found.map(|at| &text[at..]), None, "{what}");
}

/// Checks both outputs of a command. No line begins with a command to a runner.
#[track_caller]
fn check_outputs(what: &str, output: &Output) {
    for bytes in [&output.stdout, &output.stderr] {
        check(what, bytes);
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.lines().any(|line| line.starts_with("::error::no")), "{what}: {text}");
    }
}

/// Runs a command as on a terminal that shows styles.
fn run(mut command: Command) -> Output {
    command.env("CLICOLOR_FORCE", "1").output().unwrap()
}

#[test]
fn an_error_shows_no_hostile_word() {
    let commands = ["", "list", "explain", "new", "release", "verify", "bench", "watch", "grade"];
    let options = ["--only", "--report", "--program", "--address", "--submission", "--confine"];
    let options = options.map(|option| format!("grade echo {option}"));
    for words in commands.into_iter().chain(options.iter().map(String::as_str)) {
        for word in [OsStr::new(HOSTILE), &hostile()] {
            let mut command = xtask(words);
            command.arg(word);
            if words == "release" {
                command.arg(word); // otherwise a folder of this name would be written
            }
            let output = run(command);
            check_outputs(words, &output);
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!((output.status.code(), stderr.lines().count()), (Some(2), 1), "{stderr}");
        }
    }
}

#[test]
fn a_place_that_is_not_there_is_shown_without_what_it_hides() {
    for reports in [&[][..], &["--report", "json"], &["--report", "markdown"]] {
        let mut command = xtask("grade echo --submission");
        command.arg(OsStr::from_bytes(b"/nowhere/\x1b[2J\n::error::no\xff")).args(reports);
        let output = run(command);
        check_outputs("no such place", &output);
    }
}

/// The folder, a file in it, and what its program prints are hostile.
#[test]
fn no_report_of_a_hostile_submission_shows_what_it_hides() {
    if !has("python3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join(HOSTILE);
    let program = place.join("echo_server.py");
    fs::create_dir(&place).unwrap();
    fs::write(place.join(hostile()), "").unwrap();
    let said = HOSTILE.escape_unicode().to_string().replace("\\u{", "{0x");
    fs::write(&program, format!("import sys\nsaid = '{said}'\n{PRINTS}")).unwrap();
    let mut command = xtask("grade echo --only echoes_short_message --submission");
    command.arg(&place);
    for (format, file) in FILES.iter().filter(|(format, _)| *format != "classroom50") {
        command.arg(format!("--report={format}={}", folder.path().join(file).display()));
    }
    let output = run(command);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    check_outputs("a hostile submission", &output);
    for (format, file) in
        FILES.iter().filter(|(format, _)| !["classroom50", "pcapng"].contains(format))
    {
        check(format, &fs::read(folder.path().join(file)).unwrap());
    }
}

const PRINTS: &str = "\
text = ''.join(chr(int(part.strip('{}'), 16)) for part in said.replace('}', '} ').split())
sys.stderr.buffer.write(text.encode() + b'\\xff\\xed\\xa0\\x80')
sys.exit(3)
";

#[test]
fn an_error_quotes_no_word_to_its_end() {
    let output = run({
        let mut command = xtask("explain");
        command.arg("x".repeat(100_000));
        command
    });
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.len() < 3000 && stderr.ends_with("bytes more)\n"), "{stderr}");
}
