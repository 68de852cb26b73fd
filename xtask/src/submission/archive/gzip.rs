//! Unpacks gzip as it is read, so that what does not count takes no memory.

use std::io::{self, Read};

use anyhow::Context;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::{number, read_up_to};

/// The most that is unpacked, also of what does not count.
const MOST: u64 = 2 * 1024 * 1024 * 1024;

pub(super) struct Gzip<R> {
    from: R,
    state: Box<InflateState>,
    input: Vec<u8>,
    /// The part of the input that is not unpacked yet.
    at: usize,
    end: usize,
    unpacked: u64,
}

/// Reads the header.
pub(super) fn open<R: Read>(mut from: R) -> anyhow::Result<Gzip<R>> {
    let mut input = vec![0; 1 << 16];
    let end = read_up_to(&mut from, &mut input)?;
    let at = header(&input[..end])?;
    let state = InflateState::new_boxed(DataFormat::Raw);
    Ok(Gzip { from, state, input, at, end, unpacked: 0 })
}

/// Returns the length of the header.
fn header(bytes: &[u8]) -> anyhow::Result<usize> {
    const EXTRA: u8 = 4;
    const NAMES: [u8; 2] = [8, 16];
    const SUM: u8 = 2;
    let flags = *bytes.get(3).context("it is damaged")?;
    let mut at = 10;
    if flags & EXTRA != 0 {
        at += 2 + number(bytes, at, 2)?;
    }
    for _ in NAMES.iter().filter(|name| flags & **name != 0) {
        let rest = bytes.get(at..).context("it is damaged")?;
        at += 1 + rest.iter().position(|byte| *byte == 0).context("it is damaged")?;
    }
    at += if flags & SUM != 0 { 2 } else { 0 };
    bytes.get(at..).map(|_| at).context("it is damaged")
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.at == self.end {
                (self.at, self.end) = (0, self.from.read(&mut self.input)?);
            }
            let input = &self.input[self.at..self.end];
            let done = inflate(&mut self.state, input, buffer, MZFlush::None);
            self.at += done.bytes_consumed;
            self.unpacked += done.bytes_written as u64;
            if self.unpacked > MOST {
                return Err(io::Error::other("unpacked it has more than 2 GiB"));
            }
            match done.status {
                _ if done.bytes_written > 0 || buffer.is_empty() => return Ok(done.bytes_written),
                Ok(MZStatus::StreamEnd) => return Ok(0),
                Ok(_) | Err(MZError::Buf) if self.end > 0 => {}
                _ => return Err(io::Error::other("it is damaged")),
            }
        }
    }
}
