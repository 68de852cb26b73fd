//! Puts a student's own paths into text from compilers and programs, in the place of those of the
//! harness's copy.

use std::path::Path;

/// Replaces a path, where it ends or goes on with a slash.
pub(super) fn replaced(text: &[u8], here: &Path, shown: &Path) -> Vec<u8> {
    let shown = shown.as_os_str().as_encoded_bytes();
    let is_whole = |next: Option<u8>| next.is_none_or(|next| next == b'/' || !is_of_path(next));
    substitute(text, here.as_os_str().as_encoded_bytes(), shown, is_whole)
}

/// Puts a student's own path in the place of a panic's.
pub(super) fn of_panic(text: &[u8], shown: &dyn Fn(&str) -> String) -> Vec<u8> {
    const PANIC: &[u8] = b"panicked at ";
    let mut own = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find(rest, PANIC) {
        let (before, after) = rest.split_at(at + PANIC.len());
        let end = after.iter().position(|byte| !is_of_path(*byte)).unwrap_or(after.len());
        let path = std::str::from_utf8(&after[..end]).unwrap_or_default();
        own.extend_from_slice(before);
        match path.starts_with("src/") {
            true => own.extend_from_slice(shown(path).as_bytes()),
            false => own.extend_from_slice(&after[..end]),
        }
        rest = &after[end..];
    }
    own.extend_from_slice(rest);
    own
}

/// Replaces words, where the byte after them allows it.
fn substitute(text: &[u8], from: &[u8], to: &[u8], fits: impl Fn(Option<u8>) -> bool) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find(rest, from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        replaced.extend_from_slice(before);
        replaced.extend_from_slice(if fits(after.first().copied()) { to } else { from });
        rest = after;
    }
    replaced.extend_from_slice(rest);
    replaced
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./".contains(&byte)
}

/// Puts a program's folder before the paths in a compiler's message that are relative to it. Lines
/// of the student's source stay as they are.
pub(super) fn of_compiler(text: &str, folder: &Path, shown: &dyn Fn(&str) -> String) -> String {
    let lines = text.split_inclusive('\n');
    lines
        .map(|line| if is_source(line) { line.to_owned() } else { own(line, folder, shown) })
        .collect()
}

/// Returns whether a compiler quotes a line of the source: `12 | let x = 1;`.
fn is_source(line: &str) -> bool {
    let plain = anstream::adapter::strip_str(line).to_string();
    let number = plain.trim_start().split('|').next().unwrap_or_default();
    plain.contains('|')
        && number.trim_end().bytes().all(|byte| byte.is_ascii_digit() || byte == b' ')
}

fn own(line: &str, folder: &Path, shown: &dyn Fn(&str) -> String) -> String {
    let mut own = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii() && is_of_path(c as u8)) {
        let (before, word) = rest.split_at(start);
        own += before;
        // The letter that ends a colour is not the beginning of a path.
        let colour = colour_end(&own, word);
        own += &word[..colour];
        let word = &word[colour..];
        let end = word.find(|c: char| !c.is_ascii() || !is_of_path(c as u8)).unwrap_or(word.len());
        let (path, after) = word.split_at(end);
        if is_relative(path, after, folder) {
            own += &shown(path);
        } else {
            own += path;
        }
        rest = after;
    }
    own + rest
}

/// Returns the length of the rest of a colour that has begun: `0m` after `ESC [`.
fn colour_end(before: &str, word: &str) -> usize {
    let parameters = |c: char| c.is_ascii_digit() || c == ';';
    if !before.trim_end_matches(parameters).ends_with("\x1b[") {
        return 0;
    }
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    digits + usize::from(word[digits..].starts_with('m'))
}

/// Returns whether a word is the path of a file in the program's folder: one of Rust's, or one with
/// a line or a function after it.
fn is_relative(path: &str, after: &str, folder: &Path) -> bool {
    let is_rust = path.starts_with("src/") && path.ends_with(".rs");
    let says_where = after.strip_prefix(':').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            || [" In ", " At "].iter().any(|words| rest.starts_with(words))
    });
    is_rust || (says_where && !path.starts_with('/') && folder.join(path).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn compiler(text: &str, own: &str) {
        let shown = |path: &str| format!("top/echo_server/{path}");
        assert_eq!(of_compiler(text, Path::new("/nowhere"), &shown), own);
    }

    #[test]
    fn the_compilers_paths_are_the_students() {
        compiler(" --> src/main.rs:3:5\n", " --> top/echo_server/src/main.rs:3:5\n");
        compiler(
            "\x1b[1m\x1b[94m--> \x1b[0msrc/a/b.rs:3",
            "\x1b[1m\x1b[94m--> \x1b[0mtop/echo_server/src/a/b.rs:3",
        );
        compiler("create file \"src/x.rs\"", "create file \"top/echo_server/src/x.rs\"");
        compiler("12 | // see src/main.rs\n", "12 | // see src/main.rs\n");
        compiler("/lib/rustlib/src/x.rs", "/lib/rustlib/src/x.rs");
        compiler("\x1b[31mé src/ x:1", "\x1b[31mé src/ x:1");
    }

    #[test]
    fn a_file_with_its_line_is_the_students() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.c"), "").unwrap();
        let own = |text| of_compiler(text, folder.path(), &|path| format!("top/{path}"));
        assert_eq!(own("main.c:3:5: error: no"), "top/main.c:3:5: error: no");
        assert_eq!(own("main.c: In function f"), "top/main.c: In function f");
        assert_eq!(own("stdio.h:3: main.c"), "stdio.h:3: main.c");
    }

    #[test]
    fn a_copys_path_is_replaced_as_a_whole() {
        let check = |text: &str, own: &str| {
            let text = replaced(text.as_bytes(), Path::new("/t/x"), Path::new("top/x"));
            assert_eq!(String::from_utf8(text).unwrap(), own);
        };
        check("at /t/x/a.py, /t/x: and /t/xy", "at top/x/a.py, top/x: and /t/xy");
    }

    #[test]
    fn each_panic_has_the_students_path() {
        let own = of_panic(b"panicked at src/a.rs:1\npanicked at src/b.rs:2", &|path| {
            format!("top/{path}")
        });
        assert_eq!(own, b"panicked at top/src/a.rs:1\npanicked at top/src/b.rs:2");
    }
}
