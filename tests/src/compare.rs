//! Expected bytes beside observed ones, in words.

use crate::peer::Received;
use crate::transcript::show;
use crate::{Failure, Stop};

/// How many bytes are shown on each side.
const SHOWN: usize = 40;

/// How many bytes are shown before the first wrong one.
const BEFORE: usize = 8;

/// Holds when all of `expected` came and nothing else.
pub(crate) fn same(expected: &[u8], received: &Received, who: &str) -> Result<(), Stop> {
    let rest = &expected[received.equal..];
    if received.ending.is_none() && received.bytes == rest {
        return Ok(());
    }
    Err(difference(expected, received, who).into())
}

fn difference(expected: &[u8], received: &Received, who: &str) -> Failure {
    let (equal, got) = (received.equal, received.bytes.as_slice());
    let all = equal + got.len();
    let ending = received.ending.map(|ending| ending.to_string()).unwrap_or_default();
    match expected[equal..].iter().zip(got).position(|(a, b)| a != b) {
        Some(at) => {
            let at = equal + at;
            let from = at.saturating_sub(BEFORE);
            let place = if at == 0 {
                "at the beginning".to_owned()
            } else {
                format!("at byte {} of {}", at + 1, expected.len())
            };
            let there = [&expected[from.min(equal)..equal], &got[from.saturating_sub(equal)..]].concat();
            Failure::new(format!("{} for {who}, {place}", show(&expected[from..], SHOWN)), show(&there, SHOWN))
        }
        None if all > expected.len() => Failure::new(
            format!("{} for {who} and nothing more", describe(expected)),
            format!("{} byte(s) more: {}", all - expected.len(), show(&got[expected.len() - equal..], SHOWN)),
        ),
        None if all == 0 => Failure::new(format!("{} for {who}", describe(expected)), ending),
        None => Failure::new(
            format!("{} for {who}", describe(expected)),
            format!("only the first {all} byte(s), then {ending}"),
        ),
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
    use crate::peer::Ending;

    #[track_caller]
    fn check(expected: &[u8], bytes: &[u8], ending: Option<Ending>, message: &str) {
        let most_equal = expected.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        for equal in 0..=most_equal {
            let received = Received { equal, bytes: bytes[equal..].to_vec(), ending };
            let said = match same(expected, &received, "a") {
                Ok(()) => "same".to_owned(),
                Err(Stop::Failed(failure)) => failure.to_string(),
                Err(stop) => format!("{stop:?}"),
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
        check(b"echo", b"ec", end, r#"expected "echo" for a, got only the first 2 byte(s), then end of stream"#);
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
        check(b"echo", b"echo\n", None, r#"expected "echo" for a and nothing more, got 1 byte(s) more: "\n""#);
    }
}
