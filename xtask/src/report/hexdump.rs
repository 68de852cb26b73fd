//! Expected and observed bytes near the first wrong one, in hexadecimal and as text.

use anstyle::Style;
use suite::{Deviation, Difference};

use crate::terminal::{GREEN, RED};

/// Bytes in a row.
const ROW: usize = 16;

/// Rows of each side.
const ROWS: usize = 2;

/// The bytes that fit on the line of what was expected.
const ONE_LINE: usize = 40;

/// Returns the difference in one sentence, or `None` if the lines before say everything.
pub(crate) fn sentence(difference: &Difference) -> Option<String> {
    let Difference { at, expected_length: of, deviation, .. } = difference;
    if *of <= ONE_LINE {
        return None;
    }
    match deviation {
        Deviation::Short(_) => None,
        Deviation::Long(_) => Some(format!("after all {of} bytes: {deviation}")),
        Deviation::Added(_) if *at == 0 => {
            Some(format!("before the first of {of} bytes: {deviation}"))
        }
        Deviation::Added(_) => Some(format!("after byte {at} of {of}: {deviation}")),
        Deviation::Changed => {
            let wrong = difference.observed.get(at - difference.from);
            let right = difference.expected.get(at - difference.from);
            let value =
                |byte: Option<&u8>| byte.map_or_else(|| "nothing".to_owned(), |byte| named(*byte));
            Some(format!("byte {} of {of} is {} instead of {}", at + 1, value(wrong), value(right)))
        }
        Deviation::Lost(_) | Deviation::OutOfOrder => {
            Some(format!("from byte {} of {of} on: {deviation}", at + 1))
        }
    }
}

/// Returns a byte as a number, with its character or name.
fn named(byte: u8) -> String {
    let name = match byte {
        0 => "NUL".to_owned(),
        b'\t' => "a tab".to_owned(),
        b'\n' => "a newline".to_owned(),
        b'\r' => "a carriage return".to_owned(),
        b' ' => "a space".to_owned(),
        byte if byte.is_ascii_graphic() => format!("\"{}\"", char::from(byte)),
        _ => return format!("{byte:02x}"),
    };
    format!("{byte:02x} ({name})")
}

/// Returns the rows, each with `indent` spaces before it. Offsets are decimal and begin at 0.
pub(crate) fn rows(difference: &Difference, indent: usize) -> String {
    let wrong = difference.at - difference.from;
    let width = (difference.from + ROW * ROWS).to_string().len().max(4);
    let side = |name: &str, bytes: &[u8], style: Style| {
        let shown = &bytes[..bytes.len().min(ROW * ROWS)];
        let rows = shown.chunks(ROW).enumerate();
        let rows = rows.map(|(number, row)| {
            let marked = (number == 0).then_some(wrong);
            format!(
                "{:indent$}{:>width$}  {}\n",
                "",
                difference.from + number * ROW,
                drawn(row, marked, style)
            )
        });
        let rows: String = rows.collect();
        let nothing = if shown.len() <= wrong {
            format!("{:indent$}{:>width$}  nothing more\n", "", "")
        } else {
            String::new()
        };
        format!("{:indent$}{name}, from offset {}\n{rows}{nothing}", "", difference.from)
    };
    let column = indent + width + 2 + wrong * 3;
    side("expected", &difference.expected, GREEN)
        + &side("got", &difference.observed, RED)
        + &format!("{:column$}{RED}^^ offset {}: the first wrong byte{RED:#}\n", "", difference.at)
}

/// Returns one row, with the byte at `marked` in this style.
fn drawn(row: &[u8], marked: Option<usize>, style: Style) -> String {
    let styled = |at: usize, text: String| {
        if marked == Some(at) { format!("{style}{text}{style:#}") } else { text }
    };
    let hex: Vec<String> =
        row.iter().enumerate().map(|(at, byte)| styled(at, format!("{byte:02x}"))).collect();
    let text = row.iter().enumerate().map(|(at, byte)| styled(at, visible(*byte).to_string()));
    let missing = 3 * (ROW - row.len());
    format!("{}{:missing$}  {}", hex.join(" "), "", text.collect::<String>())
}

/// Returns a byte's character, or a middle dot, because a full stop is a character itself.
fn visible(byte: u8) -> char {
    if byte == b' ' || byte.is_ascii_graphic() { char::from(byte) } else { '·' }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::WIDTH;

    fn difference(at: usize, deviation: Deviation, expected: &[u8], observed: &[u8]) -> Difference {
        Difference {
            at,
            deviation,
            expected_length: 8_388_608,
            observed_length: at + 100,
            from: at.saturating_sub(8),
            expected: expected.to_vec(),
            observed: observed.to_vec(),
            ending: None,
        }
    }

    #[track_caller]
    fn check(difference: &Difference, expected: &str) {
        let drawn = format!("{}\n{}", sentence(difference).unwrap(), rows(difference, 6));
        let plain = anstream::adapter::strip_str(&drawn).to_string();
        assert_eq!(plain, expected, "\n{plain}");
        assert!(plain.lines().skip(1).all(|line| line.chars().count() <= WIDTH), "\n{plain}");
        assert_ne!(plain, drawn, "in colour, too");
    }

    #[test]
    fn lost_bytes_are_shown_where_they_are_missing() {
        check(
            &difference(
                1024,
                Deviation::Lost(31),
                b"abcdefgh0123456789ABCDEFGHIJKLMNOPRST",
                b"abcdefghXYZ\0\n. \xff-and so on, and on and on and on",
            ),
            "\
from byte 1025 of 8388608 on: 31 bytes missing
      expected, from offset 1016
      1016  61 62 63 64 65 66 67 68 30 31 32 33 34 35 36 37  abcdefgh01234567
      1032  38 39 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e  89ABCDEFGHIJKLMN
      got, from offset 1016
      1016  61 62 63 64 65 66 67 68 58 59 5a 00 0a 2e 20 ff  abcdefghXYZ··. ·
      1032  2d 61 6e 64 20 73 6f 20 6f 6e 2c 20 61 6e 64 20  -and so on, and 
                                    ^^ offset 1024: the first wrong byte
",
        );
    }

    #[test]
    fn the_largest_offset_fits_and_so_does_an_end() {
        check(
            &difference(8_388_600, Deviation::Long(3), b"abcdefgh", b"abcdefgh\r\n\0"),
            "\
after all 8388608 bytes: 3 bytes too many at the end
      expected, from offset 8388592
      8388592  61 62 63 64 65 66 67 68                          abcdefgh
               nothing more
      got, from offset 8388592
      8388592  61 62 63 64 65 66 67 68 0d 0a 00                 abcdefgh···
                                       ^^ offset 8388600: the first wrong byte
",
        );
    }

    #[test]
    fn one_byte_that_changed_is_named() {
        let changed = difference(0, Deviation::Changed, &[b'A'; 50], &[0; 50]);
        assert_eq!(
            sentence(&changed).unwrap(),
            "byte 1 of 8388608 is 00 (NUL) instead of 41 (\"A\")"
        );
    }

    #[test]
    fn a_short_message_is_not_said_again() {
        let short = Difference {
            expected_length: 40,
            ..difference(3, Deviation::Changed, b"abcd", b"abcx")
        };
        assert_eq!(sentence(&short), None);
        assert_eq!(sentence(&difference(3, Deviation::Short(9), b"abcd", b"abc")), None);
    }
}
