//! What is sent: bytes that come from one seed, so that every failure can be repeated.

use std::sync::{Arc, OnceLock};

use crate::hash::Fnv;

/// Letters and digits without `q` and `Q`: a program that obeys words must not fail on them.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPRSTUVWXYZabcdefghijklmnoprstuvwxyz0123456789";

/// A message that several checks share.
pub(crate) type Shared = Arc<OnceLock<Vec<u8>>>;

/// Where the payloads of one check come from.
#[derive(Debug, Clone)]
pub(crate) struct Payloads {
    seed: u64,
    check: &'static str,
    large: Shared,
}

impl Payloads {
    /// `large` is the large message of all checks of one run, made by the first that asks for it.
    pub(crate) fn new(seed: u64, check: &'static str, large: &Shared) -> Self {
        Self { seed, check, large: large.clone() }
    }

    /// Begins the check's payloads anew.
    pub(crate) fn payload(&self) -> Payload {
        Payload::new(self.seed, self.check)
    }

    /// Returns as many bytes as `message`. Another one of its kind, drawn for each place, stands for
    /// each letter and digit: a program cannot know this answer without receiving it. One check
    /// gives one answer to one message.
    pub(crate) fn otherwise(&self, message: &[u8]) -> Vec<u8> {
        let of_this_message = Fnv::default().bytes(message).finish().rotate_left(32);
        let Payload(mut rng) = Payload::new(self.seed ^ of_this_message, self.check);
        message.iter().map(|&byte| another(&mut rng, byte)).collect()
    }

    pub(crate) fn large(&self) -> &Shared {
        &self.large
    }

    /// Returns 8 MiB, more than the buffers between two programs on one machine hold.
    pub(crate) fn large_message(&self) -> &Vec<u8> {
        const LARGE: usize = 8 * 1024 * 1024;
        self.large.get_or_init(|| Payload::new(self.seed, "large").stream(LARGE))
    }
}

/// The payloads of one check. They depend on the seed alone, not on the other checks.
#[derive(Debug)]
pub(crate) struct Payload(fastrand::Rng);

impl Payload {
    /// `seed` is the run's; `check` keeps the checks apart.
    pub(crate) fn new(seed: u64, check: &str) -> Self {
        let name = Fnv::default().bytes(check.as_bytes()).finish();
        Self(fastrand::Rng::with_seed(seed ^ name))
    }

    /// Returns `length` letters and digits.
    pub(crate) fn letters(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| ALPHABET[self.0.usize(..ALPHABET.len())]).collect()
    }

    /// Returns very many letters and digits, made fast: pieces of a pool from random places, so
    /// that no stretch repeats where it would hide a loss.
    pub(crate) fn stream(&mut self, length: usize) -> Vec<u8> {
        const POOL: usize = 64 * 1024;
        let pool = self.letters(POOL.min(length));
        let mut stream = Vec::with_capacity(length + POOL);
        while stream.len() < length {
            let from = self.0.usize(..pool.len());
            stream.extend_from_slice(&pool[from..pool.len().min(from + 4096)]);
        }
        stream.truncate(length);
        stream
    }

    /// Returns letters and digits, as many as the range allows.
    pub(crate) fn message(&mut self, lengths: std::ops::RangeInclusive<usize>) -> Vec<u8> {
        let length = self.0.usize(lengths);
        self.letters(length)
    }
}

/// Draws another letter or digit of the same kind, and leaves other bytes as they are.
fn another(rng: &mut fastrand::Rng, byte: u8) -> u8 {
    loop {
        let drawn = match byte {
            b'a'..=b'z' => rng.lowercase(),
            b'A'..=b'Z' => rng.uppercase(),
            b'0'..=b'9' => rng.digit(10),
            other => return other,
        } as u8;
        if drawn != byte && ALPHABET.contains(&drawn) {
            return drawn;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_payload() {
        assert_eq!(Payload::new(7, "x").letters(1000), Payload::new(7, "x").letters(1000));
        assert_ne!(Payload::new(7, "x").letters(1000), Payload::new(7, "y").letters(1000));
        assert_ne!(Payload::new(7, "x").letters(1000), Payload::new(8, "x").letters(1000));
    }

    #[test]
    fn no_payload_has_the_letter_that_quits() {
        let bytes = Payload::new(1, "x").letters(100_000);
        assert!(
            bytes
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() && !byte.eq_ignore_ascii_case(&b'q'))
        );
    }

    fn answer(seed: u64, message: &[u8]) -> Vec<u8> {
        Payloads::new(seed, "x", &Shared::default()).otherwise(message)
    }

    #[test]
    fn an_answer_differs_from_the_message_in_every_letter() {
        let message = Payload::new(1, "x").letters(1000);
        let answer = answer(1, &message);
        assert_eq!(answer.len(), message.len());
        let kind = |byte: u8| (byte.is_ascii_lowercase(), byte.is_ascii_digit());
        assert!(answer.iter().zip(&message).all(|(a, b)| a != b && kind(*a) == kind(*b)));
        assert!(answer.iter().all(u8::is_ascii_alphanumeric));
    }

    #[test]
    fn an_answer_is_drawn_for_each_place_and_each_seed() {
        let message = b"aaaaaaaaaaaaaaaaaaaa";
        assert_eq!(answer(1, message), answer(1, message));
        assert_ne!(answer(1, message), answer(2, message));
        assert!(answer(1, message).windows(2).any(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn an_answer_keeps_what_is_no_letter() {
        assert_eq!(answer(1, " é!".as_bytes()), " é!".as_bytes());
    }
}
