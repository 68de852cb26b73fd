//! Text by the columns that it takes on a terminal: neither its bytes nor its characters.

use anstream::adapter::strip_str;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Returns how many columns a line takes. Its styles take none.
pub(crate) fn of(line: &str) -> usize {
    strip_str(line).map(UnicodeWidthStr::width).sum()
}

/// Splits a line before the first character that would reach past column `most`, but after the
/// first character of all.
pub(crate) fn split(line: &str, most: usize) -> (&str, &str) {
    let mut end = 0;
    let is_over = |(at, c): &(usize, char)| {
        end += c.width().unwrap_or(0);
        end > most && *at > 0
    };
    let at = line.char_indices().find(is_over).map_or(line.len(), |(at, _)| at);
    line.split_at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_columns_and_styles_none() {
        assert_eq!([of("echo"), of("é"), of("日本"), of("\u{1b}[31mred\u{1b}[0m")], [4, 1, 4, 3]);
    }

    #[test]
    fn a_line_is_split_where_it_reaches_the_edge() {
        assert_eq!(split("日本語", 4), ("日本", "語"));
        assert_eq!(split("日本語", 5), ("日本", "語"));
        assert_eq!(split("語", 1), ("語", ""));
        assert_eq!(split("abc", 3), ("abc", ""));
    }
}
