//! A step that the student has not written yet, as the program itself says.
//!
//! This is the one place that reads a state from a program's words: Rust's `todo!` and Python's
//! NotImplementedError. It changes no verdict. It keeps a failure from being called a mistake.

/// What Rust's `todo!` says.
const TODO: &str = "not yet implemented";

/// A step that is not written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwritten {
    /// The step, in the words of the program; empty where it says none.
    pub step: String,
    /// The file as the program names it.
    pub file: String,
    /// The line in the file.
    pub line: u32,
}

impl Unwritten {
    /// Finds the first unwritten step that a program reports on standard error.
    pub(crate) fn find(stderr: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(stderr);
        let lines: Vec<&str> = text.lines().collect();
        (0..lines.len()).find_map(|at| of_rust(&lines[at..]).or_else(|| of_python(&lines, at)))
    }
}

/// Reads a panic: its place stands on the first line, its message on the next one. Before Rust 1.73
/// both stood on one line.
fn of_rust(lines: &[&str]) -> Option<Unwritten> {
    let (_, after) = lines.first()?.split_once("panicked at ")?;
    let (message, place) = match after.strip_prefix('\'') {
        Some(old) => old.rsplit_once("', ")?,
        None => (*lines.get(1)?, after.trim_end_matches(':')),
    };
    let step = step_after(message.strip_prefix(TODO)?)?;
    let mut parts = place.rsplitn(3, ':');
    let line = parts.nth(1)?.parse().ok()?;
    Some(Unwritten { step, file: parts.next()?.to_owned(), line })
}

/// Reads the end of a traceback: the error, and above it the innermost place.
fn of_python(lines: &[&str], at: usize) -> Option<Unwritten> {
    let step = step_after(lines[at].strip_prefix("NotImplementedError")?)?;
    let place = lines[..at].iter().rev().find_map(|line| line.trim_start().strip_prefix("File \""));
    let (file, after) = place?.split_once("\", line ")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    Some(Unwritten { step, file: file.to_owned(), line: digits.parse().ok()? })
}

/// Returns the words after the colon. Other words mean another error.
fn step_after(rest: &str) -> Option<String> {
    match rest.trim_end() {
        "" => Some(String::new()),
        rest => Some(rest.strip_prefix(": ")?.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stderr: &str, expected: Option<(&str, &str, u32)>) {
        let found = Unwritten::find(stderr.as_bytes());
        let found = found.as_ref().map(|one| (one.step.as_str(), one.file.as_str(), one.line));
        assert_eq!(found, expected);
    }

    #[test]
    fn rusts_todo_has_a_step_and_a_place() {
        let step = Some(("step 6: accept clients", "src/main.rs", 81));
        let said = "listening on 127.0.0.1:7\n\nthread 'main' (2) panicked at src/main.rs:81:5:\n\
                    not yet implemented: step 6: accept clients\n\
                    note: run with `RUST_BACKTRACE=1`\n";
        check(said, step);
        let old = "thread 'main' panicked at 'not yet implemented: step 6: accept clients', \
                   src/main.rs:81:5\n";
        check(old, step);
        check(
            "thread 'a' panicked at /s/lib.rs:3:5:\nnot yet implemented",
            Some(("", "/s/lib.rs", 3)),
        );
    }

    #[test]
    fn pythons_error_has_the_innermost_place() {
        let said = "Traceback (most recent call last):\n\
                    \x20 File \"/a b/server.py\", line 20, in <module>\n    main()\n\
                    \x20 File \"/a b/server.py\", line 12, in main\n    raise NotImplementedError(\n\
                    NotImplementedError: step 2: bind\n";
        check(said, Some(("step 2: bind", "/a b/server.py", 12)));
        check(&said.replace(": step 2: bind", ""), Some(("", "/a b/server.py", 12)));
    }

    #[test]
    fn another_error_is_no_unwritten_step() {
        check("thread 'main' panicked at src/main.rs:62:5:\nnot implemented: never", None);
        check("thread 'main' panicked at src/main.rs:62:5:\nindex out of bounds", None);
        check("client 3: not yet implemented: step 6\n", None);
        check("NotImplementedError: step 6\n", None);
    }
}
