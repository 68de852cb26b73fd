//! Compares what came with what should have come, in words.

use crate::engine::difference::{Deviation, Difference, bytes};
use crate::engine::received::Received;
use crate::engine::transcript::show;
use crate::engine::verdict::Failure;

/// How many bytes are shown on each side.
const SHOWN: usize = 40;

/// Holds when all of `expected` came and nothing else.
pub(crate) fn same(expected: &[u8], received: &Received, who: &str) -> Result<(), Failure> {
    match Difference::between(expected, received) {
        None => Ok(()),
        Some(difference) => Err(told(expected, difference, who).at(received.snapshot.clone())),
    }
}

/// A difference as a failure.
fn told(expected: &[u8], difference: Difference, who: &str) -> Failure {
    let Difference { at, observed_length: all, .. } = difference;
    let ending = difference.ending.map(|ending| ending.to_string()).unwrap_or_default();
    let failure = match difference.deviation {
        Deviation::Short(_) if all == 0 => {
            Failure::new(format!("{} for {who}", describe(expected)), ending)
        }
        Deviation::Short(_) => Failure::new(
            format!("{} for {who}", describe(expected)),
            format!("only the first {}, then {ending}", bytes(all)),
        ),
        Deviation::Long(more) => Failure::new(
            format!("{} for {who} and nothing more", describe(expected)),
            format!("{} more: {}", bytes(more), show_run(difference.wrong())),
        ),
        how => {
            let place = match at {
                0 => "at the beginning".to_owned(),
                _ => format!("at byte {} of {}", at + 1, expected.len()),
            };
            let how = match how {
                Deviation::Changed => String::new(),
                how => format!(": {how}"),
            };
            Failure::new(
                format!("{} for {who}, {place}", show(&expected[difference.from..], SHOWN)),
                format!("{}{how}", show(&difference.observed, SHOWN)),
            )
        }
    };
    Failure { difference: Some(Box::new(difference)), ..failure }
}

/// Bytes as they are shown; many of the same are shown once.
pub(crate) fn show_run(bytes: &[u8]) -> String {
    match bytes {
        [first, rest @ ..] if rest.len() > 8 && rest.iter().all(|byte| byte == first) => {
            format!("{}, {} times", show(&[*first], 1), bytes.len())
        }
        _ => show(bytes, SHOWN),
    }
}

/// A message in words: the text where it is short, the number of bytes where it is long.
pub(crate) fn describe(message: &[u8]) -> String {
    if message.len() <= SHOWN {
        show(message, SHOWN)
    } else {
        format!("{} bytes ({})", message.len(), show(message, 12))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::received::Ending;

    #[track_caller]
    fn check(expected: &[u8], bytes: &[u8], ending: Option<Ending>, message: &str) {
        let most_equal = expected.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        for equal in 0..=most_equal {
            let received = Received::of(equal, &bytes[equal..], ending);
            let said = match same(expected, &received, "a") {
                Ok(()) => "same".to_owned(),
                Err(failure) => failure.to_string(),
            };
            assert_eq!(said, message, "with {equal} equal bytes not kept");
        }
    }

    #[test]
    fn equal_bytes_are_the_same() {
        check(b"echo", b"echo", None, "same");
    }

    #[test]
    fn a_reply_cut_short_says_how_it_ended() {
        let end = Some(Ending::EndOfStream);
        check(
            b"echo",
            b"ec",
            end,
            r#"expected "echo" for a, got only the first 2 bytes, then end of stream"#,
        );
        check(b"echo", b"", end, r#"expected "echo" for a, got end of stream"#);
    }

    #[test]
    fn a_wrong_byte_is_shown_in_its_place() {
        check(b"echo", b"ecHO", None, r#"expected "echo" for a, at byte 3 of 4, got "ecHO""#);
    }

    #[test]
    fn a_wrong_byte_far_inside_is_shown_with_what_stands_before_it() {
        check(
            b"0123456789abc",
            b"0123456789Abc",
            None,
            r#"expected "23456789abc" for a, at byte 11 of 13, got "23456789Abc""#,
        );
    }

    #[test]
    fn additional_bytes_are_shown() {
        check(
            b"echo",
            b"echo\n",
            None,
            r#"expected "echo" for a and nothing more, got 1 byte more: "\n""#,
        );
    }
}
