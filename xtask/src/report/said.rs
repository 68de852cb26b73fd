//! The lines of a program's standard error that tell why it ended. The runtimes of some languages
//! print the reason first, and lines that help nobody after it.

use super::plain::{LONGEST_LINE, STDERR_LINES, last, line};

/// Advice of Rust's runtime that distracts from the mistake.
const NOISE: &str = "note: run with `RUST_BACKTRACE=1`";

/// The folders of the languages' own files: a line in one of them is not the student's.
const NOT_THE_STUDENTS: [&str; 6] =
    ["/lib/python", "<frozen", "site-packages", "(node:", " node:", "/rustc/"];

/// Returns the last lines of the program's standard error, or those that tell why it ended.
pub(super) fn stderr(tail: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(last(tail, STDERR_LINES * LONGEST_LINE));
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(NOISE)).collect();
    last(&telling(&lines), STDERR_LINES).iter().map(|said| line(said)).collect()
}

/// Returns the lines that tell most: those of the last uncaught error, or else all of them.
fn telling<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    of_node(lines)
        .or_else(|| of_python(lines))
        .or_else(|| of_java(lines))
        .or_else(|| of_go(lines))
        .unwrap_or_else(|| lines.to_vec())
}

/// Node prints the place, the source line, the error, the stack, and at last its own version.
fn of_node<'a>(lines: &[&'a str]) -> Option<Vec<&'a str>> {
    let end = lines.iter().rposition(|line| line.starts_with("Node.js v"))?;
    let is_frame = |line: &&str| line.starts_with("    at ");
    let frames = lines[..end].iter().rposition(is_frame)?;
    let frames_begin =
        lines[..frames].iter().rposition(|line| !is_frame(line)).map_or(0, |at| at + 1);
    let error = lines[..frames_begin].iter().rposition(|line| is_name_of_error(line))?;
    let begin = lines[..error].iter().rposition(|line| is_place_of_node(line)).unwrap_or(error);
    let before = if is_students(lines[begin]) { &lines[begin..error] } else { &[] };
    let own = lines[frames_begin..=frames].iter().find(|line| is_students(line));
    let told =
        before.iter().chain(&lines[error..frames_begin]).chain(own.filter(|_| before.is_empty()));
    Some(told.copied().collect())
}

/// The place of an uncaught error: `/home/s/server.js:3`.
fn is_place_of_node(line: &str) -> bool {
    let number = line.rsplit_once(':').map_or("", |(_, number)| number);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The first line of an error: `Error: …`, `TypeError [CODE]: …`.
fn is_name_of_error(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    name.ends_with("Error") && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A traceback ends with the error. Of its places the last of the student's own counts.
fn of_python<'a>(lines: &[&'a str]) -> Option<Vec<&'a str>> {
    let begin =
        lines.iter().rposition(|line| line.contains("Traceback (most recent call last)"))?;
    let is_place = |line: &&str| line.starts_with("  File \"");
    let last = begin + lines[begin..].iter().rposition(is_place)?;
    let error = last + lines[last..].iter().position(|line| !line.starts_with(' '))?;
    let own = (begin..=last).rev().find(|at| is_place(&lines[*at]) && is_students(lines[*at]));
    let place = own.unwrap_or(last);
    let next = (place + 1..error).find(|at| is_place(&lines[*at])).unwrap_or(error);
    let ends = lines.len().min(error + 3);
    Some([&lines[place..next], &lines[error..ends]].concat())
}

/// Java prints the error first, then the stack, the innermost place first.
fn of_java<'a>(lines: &[&'a str]) -> Option<Vec<&'a str>> {
    let begin = lines.iter().rposition(|line| line.starts_with("Exception in thread "))?;
    let ends = lines.len().min(begin + 4);
    Some(lines[begin..ends].to_vec())
}

/// Go prints the panic first, then the stack of each goroutine.
fn of_go<'a>(lines: &[&'a str]) -> Option<Vec<&'a str>> {
    let begin = lines.iter().rposition(|line| line.starts_with("panic: "))?;
    let stack = lines[begin..].iter().any(|line| line.starts_with("goroutine "));
    let ends = lines.len().min(begin + 5);
    stack.then(|| lines[begin..ends].to_vec())
}

fn is_students(line: &str) -> bool {
    !line.starts_with("node:") && !NOT_THE_STUDENTS.iter().any(|place| line.contains(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, told: &[&str]) {
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(telling(&lines), told);
    }

    #[test]
    fn a_traceback_ends_with_the_error_at_the_students_line() {
        check(
            "starting\nTraceback (most recent call last):\n\
             \x20 File \"/s/server.py\", line 6, in <module>\n    import nope\n\
             ModuleNotFoundError: No module named 'nope'\n",
            &[
                "  File \"/s/server.py\", line 6, in <module>",
                "    import nope",
                "ModuleNotFoundError: No module named 'nope'",
            ],
        );
        check(
            "Traceback (most recent call last):\n\
             \x20 File \"/s/server.py\", line 9, in <module>\n    bind(s)\n    ^^^^^^^\n\
             \x20 File \"/usr/lib/python3.12/socket.py\", line 3, in bind\n    self.bind(at)\n\
             TypeError: no\n",
            &[
                "  File \"/s/server.py\", line 9, in <module>",
                "    bind(s)",
                "    ^^^^^^^",
                "TypeError: no",
            ],
        );
    }

    #[test]
    fn node_begins_with_the_error() {
        check(
            "node:internal/modules/cjs/loader:1143\n  throw err;\n  ^\n\n\
             Error: Cannot find module 'nope'\nRequire stack:\n- /s/server.js\n\
             \x20   at Module._resolve (node:internal/modules/cjs/loader:1140:15)\n\
             \x20   at Object.<anonymous> (/s/server.js:2:13) {\n\
             \x20 code: 'MODULE_NOT_FOUND',\n  requireStack: [ '/s/server.js' ]\n}\n\n\
             Node.js v18.19.1\n",
            &[
                "Error: Cannot find module 'nope'",
                "Require stack:",
                "- /s/server.js",
                "    at Object.<anonymous> (/s/server.js:2:13) {",
            ],
        );
        check(
            "/s/server.js:3\nfoo.bar();\n^\n\nReferenceError: foo is not defined\n\
             \x20   at Object.<anonymous> (/s/server.js:3:1)\n\
             \x20   at Module._compile (node:internal/modules/cjs/loader:1356:14)\n\n\
             Node.js v18.19.1\n",
            &["/s/server.js:3", "foo.bar();", "^", "ReferenceError: foo is not defined"],
        );
    }

    #[test]
    fn java_and_go_begin_with_the_error() {
        check(
            "Exception in thread \"main\" java.lang.Error: no\n\tat S.a(S.java:3)\n\tat S.b(S.java:5)\n\
             \tat S.c(S.java:7)\n\tat S.main(S.java:9)\n",
            &[
                "Exception in thread \"main\" java.lang.Error: no",
                "\tat S.a(S.java:3)",
                "\tat S.b(S.java:5)",
                "\tat S.c(S.java:7)",
            ],
        );
        check(
            "panic: no\n\ngoroutine 1 [running]:\nmain.main()\n\t/s/main.go:5 +0x1d\nexit status 2\n",
            &[
                "panic: no",
                "goroutine 1 [running]:",
                "main.main()",
                "\t/s/main.go:5 +0x1d",
                "exit status 2",
            ],
        );
    }

    #[test]
    fn other_words_are_left_as_they_are() {
        let said = "listening\nError: bind: Address already in use";
        check(said, &["listening", "Error: bind: Address already in use"]);
    }
}
