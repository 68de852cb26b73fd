//! Bad input by the thousand, for tests: right input is changed at random, and read. Each reading
//! ends soon, without a panic, and an error is one line.
//!
//! `BAD_INPUTS=1000000` sets the number of inputs of each kind, and `BAD_INPUTS_SEED` the seed.

use std::time::{Duration, Instant};

use fastrand::Rng;

/// The longest time that one reading may take.
const LONGEST: Duration = Duration::from_secs(1);

/// The second line of an error that quotes its input, as the TOML library writes it.
const SNIPPET: &str = "\n  |";

/// The most changes of one input.
const MOST_CHANGES: usize = 6;

/// The most bytes of a part that is copied, moved or removed.
const LONGEST_PART: usize = 64;

/// Numbers at which readers overflow, as text and as bytes.
const NUMBERS: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 40,
    i64::MAX as u64,
    u64::MAX,
];

/// Characters and bytes at which readers of text stumble.
const ODD: [&[u8]; 14] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\"",
    b"\"\"\"",
    b"'",
    b"\\",
    b"\\u{202e}",
    b"\x1b[2J",
    b"\xff",
    b"\xed\xa0\x80",
    "\u{202e}".as_bytes(),
    "e\u{301}\u{fe0f}".as_bytes(),
    "\u{feff}".as_bytes(),
];

/// What inputs are made of.
#[derive(Default)]
pub(crate) struct Inputs<'a> {
    /// Inputs without a mistake.
    pub(crate) right: &'a [&'a [u8]],
    /// Words that the reader knows.
    pub(crate) words: &'a [&'a str],
    /// Divides the number of inputs, where each takes long to read.
    pub(crate) one_in: u64,
}

impl Inputs<'_> {
    /// Reads 10,000 inputs, or as many as the environment says, and prints what came of them.
    #[track_caller]
    pub(crate) fn check(&self, name: &str, mut read: impl FnMut(&[u8]) -> anyhow::Result<()>) {
        let (mut rng, mut slowest, mut refused) = (self.rng(), Duration::ZERO, 0);
        let inputs = from_environment("BAD_INPUTS").unwrap_or(10_000) / self.one_in.max(1);
        for number in 0..inputs {
            let input = Shown { number, bytes: self.changed(&mut rng) };
            let begin = Instant::now();
            let result = read(&input.bytes);
            slowest = slowest.max(begin.elapsed());
            if begin.elapsed() > LONGEST {
                let again = Instant::now(); // the machine may have been busy
                _ = read(&input.bytes);
                assert!(again.elapsed() <= LONGEST, "{name}: this takes {:?}", again.elapsed());
            }
            if let Err(error) = result {
                refused += 1;
                let said = format!("{error:#}");
                let is_one_line = !said.trim().is_empty() && !said.contains(SNIPPET);
                assert!(is_one_line, "{name}: {said}");
            }
        }
        println!("{name}: {inputs} inputs, {refused} refused, the slowest in {slowest:?}");
    }

    fn rng(&self) -> Rng {
        Rng::with_seed(from_environment("BAD_INPUTS_SEED").unwrap_or(1))
    }

    fn changed(&self, rng: &mut Rng) -> Vec<u8> {
        let mut input = rng.choice(self.right).copied().unwrap_or_default().to_vec();
        let most = rng.usize(1..=MOST_CHANGES);
        for _ in 0..rng.usize(1..=most) {
            self.change(&mut input, rng);
        }
        input
    }

    fn change(&self, input: &mut Vec<u8>, rng: &mut Rng) {
        let at = rng.usize(0..=input.len());
        let to = (at + rng.usize(0..=LONGEST_PART)).min(input.len());
        match rng.u8(0..12) {
            0 if at < input.len() => input[at] ^= 1 << rng.u32(0..8),
            1 if at < input.len() => input[at] = rng.u8(..),
            2 => drop(input.drain(at..to)),
            3 => input.truncate(at),
            4 => input.extend_from_within(at..to),
            5 => insert(input, at, ODD[rng.usize(0..ODD.len())]),
            6 => insert(input, at, rng.choice(self.words).unwrap_or(&"").as_bytes()),
            7 | 8 => {
                let line = input[..at].iter().rposition(|byte| *byte == b'\n');
                let word = rng.choice(self.words).unwrap_or(&"");
                insert(input, line.map_or(0, |line| line + 1), word.as_bytes());
            }
            9 => insert(input, at, NUMBERS[rng.usize(0..NUMBERS.len())].to_string().as_bytes()),
            10 => overwrite(input, at, &NUMBERS[rng.usize(0..NUMBERS.len())].to_le_bytes(), rng),
            _ => {
                let other = rng.choice(self.right).copied().unwrap_or_default();
                let from = rng.usize(0..=other.len());
                let end = (from + LONGEST_PART).min(other.len());
                input.splice(at..to, other[from..end].iter().copied());
            }
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, part: &[u8]) {
    input.splice(at..at, part.iter().copied());
}

/// Writes the first bytes of a number over the input.
fn overwrite(input: &mut [u8], at: usize, number: &[u8], rng: &mut Rng) {
    let length = [1, 2, 4, 8][rng.usize(0..4)];
    input[at..].iter_mut().zip(&number[..length]).for_each(|(byte, new)| *byte = *new);
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// An input that is printed if its reader panics.
struct Shown {
    number: u64,
    bytes: Vec<u8>,
}

impl Drop for Shown {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("input {}: b\"{}\"", self.number, self.bytes.escape_ascii());
        }
    }
}
