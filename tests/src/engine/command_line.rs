//! Knows how long a command line may be on this system.

use std::ffi::OsString;

/// The longest command line in UTF-16 code units, with the NUL at its end, as Windows defines it
/// (`CreateProcessW`). Unix limits a command line, too, but at more than any check needs.
const LONGEST: Option<usize> = if cfg!(windows) { Some(32_767) } else { None };

/// Returns whether a program can be started with these words on this system.
pub(super) fn fits(words: &[OsString]) -> bool {
    fits_in(words, LONGEST)
}

fn fits_in(words: &[OsString], longest: Option<usize>) -> bool {
    let length: usize = words.iter().map(length_of).sum();
    longest.is_none_or(|longest| length < longest)
}

/// Returns the most that a word needs: in quotes, with each of its quotes and backslashes escaped,
/// and with a space behind it.
fn length_of(word: &OsString) -> usize {
    let text = word.to_string_lossy();
    let escaped = text.chars().filter(|character| matches!(character, '"' | '\\')).count();
    text.encode_utf16().count() + escaped + "\"\" ".len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[String], longest: Option<usize>, expected: bool) {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        assert_eq!(fits_in(&words, longest), expected);
    }

    #[test]
    fn a_message_of_100_kb_fits_no_command_line_of_windows() {
        let client = || "echo_client.exe".to_owned();
        let letters = |count| "x".repeat(count);
        check(&[client(), letters(100_000)], Some(32_767), false);
        check(&[client(), letters(5000)], Some(32_767), true);
        check(&[client(), letters(32_767)], Some(32_767), false);
        check(&[client(), "\"".repeat(20_000)], Some(32_767), false);
        check(&[client(), "é".repeat(20_000)], Some(32_767), true);
    }

    #[test]
    fn unix_has_room_for_every_message() {
        check(&["echo_client".to_owned(), "x".repeat(100_000)], None, true);
    }
}
