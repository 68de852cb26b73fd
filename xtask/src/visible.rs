//! Text from outside, made safe to show: nothing in it is invisible, turns the direction of
//! writing, or commands a terminal.
//!
//! Names, paths and the output of programs may hold any character. One rule, [`is_visible`],
//! decides which characters every report, error and line on a terminal shows; the others are
//! written as `\u{…}`, and as `\u…` in JSON.

use std::fmt::Write;
use std::ops::RangeInclusive;

/// Characters that show nothing, although Unicode lists them among letters, marks and symbols:
/// fillers, joiners and variation selectors.
const BLANK: [RangeInclusive<char>; 9] = [
    '\u{34f}'..='\u{34f}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{e0100}'..='\u{e01ef}',
];

/// The most accents on one letter. More of them cover the lines above and below.
const MOST_MARKS: usize = 4;

/// Returns text of several lines. Line ends and tabs stay.
pub(crate) fn text(text: &str) -> String {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// Returns one line. Line ends and tabs in the text are written as `\n` and `\t`.
pub(crate) fn line(text: &str) -> String {
    escaped(text, |_| false)
}

/// Returns an error in one line, shortened: it may quote a word of any length.
pub(crate) fn error(error: &anyhow::Error) -> String {
    const LONGEST: usize = 2000;
    line(&cut(&format!("{error:#}"), LONGEST))
}

/// Returns the first `most` characters of a longer text, and how many bytes follow.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}… ({} bytes more)", &text[..end], text.len() - end),
        None => text.to_owned(),
    }
}

/// Returns text of several lines that keeps the harness's own styles.
pub(crate) fn styled(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut shown = self::text(parts.next().unwrap_or_default());
    for part in parts {
        match split_style(part) {
            Some((style, rest)) => _ = write!(shown, "\x1b[{style}{}", self::text(rest)),
            None => shown += &self::text(&format!("\x1b[{part}")),
        }
    }
    shown
}

/// Returns the same JSON with the characters escaped that are not visible. They occur only in
/// strings, because JSON's own characters are ASCII.
pub(crate) fn json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || is_visible(c) || is_mark(c) {
            shown.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(shown, "\\u{unit:04x}"));
        }
    }
    shown
}

/// Splits off a style like `1;31m`, if it is one that hides nothing: bold, faint, italic,
/// underlined, or a colour of the letters other than black.
fn split_style(part: &str) -> Option<(&str, &str)> {
    let end = part.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    let rest = part[end..].strip_prefix('m')?;
    let numbers: Option<Vec<u8>> = part[..end]
        .split(';')
        .map(|number| if number.is_empty() { Some(0) } else { number.parse().ok() })
        .collect();
    let hides_nothing = match numbers?[..] {
        [38, 5, colour] => matches!(colour, 1..=15),
        ref all => all.iter().all(|n| matches!(n, 0..=4 | 22..=24 | 31..=37 | 39 | 90..=97)),
    };
    hides_nothing.then_some((&part[..=end], rest))
}

fn escaped(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut marks = MOST_MARKS; // an accent needs a letter before it
    for c in text.chars() {
        if is_visible(c) || is_kept(c) {
            shown.push(c);
            marks = if c.is_alphanumeric() { 0 } else { MOST_MARKS };
        } else if marks < MOST_MARKS && is_mark(c) {
            shown.push(c);
            marks += 1;
        } else {
            escape(&mut shown, c);
            marks = MOST_MARKS;
        }
    }
    shown
}

fn escape(shown: &mut String, c: char) {
    match c {
        '\0'..='\x7f' => shown.extend(c.escape_default()),
        c => shown.extend(c.escape_unicode()),
    }
}

/// Returns whether a character shows something by itself, or is a space. The standard library
/// knows which characters print.
fn is_visible(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\0'..='\u{9f}' | '\u{2028}' | '\u{2029}' => false,
        c if c.is_whitespace() => true,
        c => c.escape_debug().len() == 1 && !is_blank(c),
    }
}

/// Returns whether a character is an accent: it prints only after another character.
fn is_mark(c: char) -> bool {
    let is_printed = || ['a', c].iter().collect::<String>().escape_debug().count() == 2;
    !c.is_ascii() && c.escape_debug().len() > 1 && !is_blank(c) && is_printed()
}

fn is_blank(c: char) -> bool {
    BLANK.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What Unicode 16 lists under Cc, Cf, Zl, Zp and Co, and what it ignores by default, with all
    /// tags and variation selectors.
    pub(crate) const UNSEEN: [(u32, u32); 39] = [
        (0x00, 0x1f),
        (0x7f, 0x9f),
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x600, 0x605),
        (0x61c, 0x61c),
        (0x6dd, 0x6dd),
        (0x70f, 0x70f),
        (0x890, 0x891),
        (0x8e2, 0x8e2),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180b, 0x180f),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x206f),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xe000, 0xf8ff),
        (0xfdd0, 0xfdef),
        (0xfe00, 0xfe0f),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff0, 0xfffb),
        (0xfffe, 0xffff),
        (0x110bd, 0x110bd),
        (0x110cd, 0x110cd),
        (0x13430, 0x1343f),
        (0x1bca0, 0x1bca3),
        (0x1d173, 0x1d17a),
        (0x1fffe, 0x1ffff),
        (0xe0000, 0xe0001),
        (0xe0002, 0xe001f),
        (0xe0020, 0xe007f),
        (0xe0080, 0xe00ff),
        (0xe0100, 0xe01ef),
        (0xe01f0, 0xe0fff),
        (0xf0000, 0xfffff),
        (0x100000, 0x10ffff),
    ];

    /// Returns every character that must never be shown as it is.
    pub(crate) fn unseen() -> impl Iterator<Item = char> {
        UNSEEN.into_iter().flat_map(|(first, last)| first..=last).filter_map(char::from_u32)
    }

    /// Returns all characters below U+10000 that are not private, and a sample of the others.
    fn sampled(all: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
        const STEP: u32 = 97;
        let is_tried = |c: u32| !(0xe000..=0xf8ff).contains(&c) && c < 0x1_0000;
        all.filter(move |c| is_tried(u32::from(*c)) || u32::from(*c).is_multiple_of(STEP))
    }

    #[track_caller]
    fn check(from: &str, shown: &str) {
        assert_eq!(line(from), shown);
    }

    #[test]
    fn no_unseen_character_stays_in_a_line_in_text_or_in_json() {
        for c in sampled(unseen()) {
            let one = line(&format!("a{c}b"));
            assert!(one.starts_with("a\\") && one.is_ascii(), "{:x}: {one}", u32::from(c));
            assert_eq!(styled(&one), one);
            let several = text(&format!("a{c}b"));
            assert_eq!(several.contains(c), matches!(c, '\n' | '\t'), "{:x}", u32::from(c));
            let value = serde_json::to_string(&format!("a{c}b")).unwrap();
            let shown = json(&value);
            assert!(shown.is_ascii() && !shown.contains(|c: char| c.is_control()), "{shown}");
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), format!("a{c}b"));
        }
    }

    #[test]
    fn every_character_stays_or_becomes_ascii() {
        for c in sampled('\0'..=char::MAX) {
            let shown = line(&format!("a{c}"));
            assert!(shown.ends_with(c) || shown.is_ascii(), "{:x}: {shown}", u32::from(c));
        }
    }

    #[test]
    fn words_of_any_language_stay() {
        for word in [
            "José",
            "Jose\u{301}",
            "日本語",
            "ราชื่อ",
            "हिन्दी",
            "عربي",
            "Erreur\u{a0}: déjà",
            "→ ✓ … 😀",
        ] {
            check(word, word);
        }
    }

    #[test]
    fn accents_are_few_and_on_letters() {
        check("\u{20dd}a", "\\u{20dd}a");
        check("| \u{336}", "| \\u{336}");
        let many = line(&format!("a{}", "\u{300}".repeat(100)));
        assert_eq!(many.chars().filter(|c| *c == '\u{300}').count(), MOST_MARKS);
    }

    #[test]
    fn a_line_is_one_line() {
        check("a\nb\r\n\tc\u{85}\u{2028}", "a\\nb\\r\\n\\tc\\u{85}\\u{2028}");
        assert_eq!(text("a\n\tb\r"), "a\n\tb\\r");
    }

    #[track_caller]
    fn check_style(style: &str, stays: bool) {
        let text = format!("{style}word\x1b[0m");
        assert_eq!(styled(&text) == text, stays, "{style:?}");
    }

    #[test]
    fn styles_stay_where_they_hide_nothing() {
        for style in ["\x1b[1m", "\x1b[m", "\x1b[01;31m", "\x1b[38;5;12m", "\x1b[94m", "\x1b[2m"] {
            check_style(style, true);
        }
        let hiding = ["\x1b[8m", "\x1b[30m", "\x1b[31;41m", "\x1b[38;5;0m", "\x1b[7m", "\x1b[5m"];
        let other =
            ["\x1b[2J", "\x1b[H", "\x1b]0;title\x07", "\x1b[", "\x1bc", "\x1b[?1049h", "\u{9b}1m"];
        for style in hiding.into_iter().chain(other) {
            check_style(style, false);
        }
    }
}
