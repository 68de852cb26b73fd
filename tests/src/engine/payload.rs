//! What is sent: bytes that come from one seed, so that every failure can be repeated.

use std::sync::{Arc, OnceLock};

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
        let name = crate::hash::Fnv::default().bytes(check.as_bytes()).finish();
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

/// Returns as many bytes as `message`, each another one: a program cannot know this answer without
/// receiving it.
pub(crate) fn otherwise(message: &[u8]) -> Vec<u8> {
    message
        .iter()
        .map(|&byte| match byte {
            b'a'..=b'y' | b'A'..=b'Y' | b'0'..=b'8' => byte + 1,
            b'z' => b'a',
            b'Z' => b'A',
            b'9' => b'0',
            other => other,
        })
        .collect()
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

    #[test]
    fn an_answer_differs_from_the_message_in_every_letter() {
        let message = Payload::new(1, "x").letters(1000);
        let answer = otherwise(&message);
        assert_eq!(answer.len(), message.len());
        assert!(answer.iter().zip(&message).all(|(a, b)| a != b));
    }
}
