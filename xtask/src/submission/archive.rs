//! `.zip` and `.tar.gz`, unpacked in memory: only regular files whose names stay in the archive, up
//! to a limit.
//!
//! Unpacking writes nothing, so a name cannot lead to another file. Links and devices are left out.
//! (PKWARE's APPNOTE 6.3.10; POSIX pax, ustar; RFC 1952.)

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};

/// The limits of an archive: packed, unpacked and in files.
pub(super) const MOST_PACKED: u64 = 16 * 1024 * 1024;
const MOST_UNPACKED: usize = 32 * 1024 * 1024;
const MOST_FILES: usize = 5000;

type Files = BTreeMap<PathBuf, Vec<u8>>;

pub(super) fn unpack(bytes: &[u8]) -> anyhow::Result<Files> {
    match bytes {
        [b'P', b'K', ..] => zip(bytes),
        [0x1f, 0x8b, ..] => tar(&gzip(bytes)?),
        _ => bail!("it is not a folder, a .zip or a .tar.gz"),
    }
}

/// Files gathered so far.
#[derive(Default)]
struct Unpacked {
    files: Files,
    bytes: usize,
}

impl Unpacked {
    fn left(&self) -> usize {
        MOST_UNPACKED - self.bytes
    }

    fn add(&mut self, name: &[u8], content: Vec<u8>) -> anyhow::Result<()> {
        let name =
            std::str::from_utf8(name).context("a file name in it is not UTF-8")?.replace('\\', "/");
        let path = Path::new(name.trim_start_matches("./"));
        if path.components().any(|part| !matches!(part, Component::Normal(_))) {
            bail!("the name {name:?} in it leads outside");
        }
        self.bytes += content.len();
        if self.bytes > MOST_UNPACKED || self.files.len() >= MOST_FILES {
            bail!("{TOO_MUCH}");
        }
        if self.files.insert(path.to_owned(), content).is_some() {
            bail!("{name:?} is in it twice");
        }
        Ok(())
    }
}

const TOO_MUCH: &str = "unpacked it has more than 5000 files or 32 MiB";

fn inflate(bytes: &[u8], most: usize) -> anyhow::Result<Vec<u8>> {
    decompress_to_vec_with_limit(bytes, most).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => anyhow::anyhow!("{TOO_MUCH}"),
        _ => anyhow::anyhow!("it is damaged"),
    })
}

fn number(bytes: &[u8], at: usize, length: usize) -> anyhow::Result<usize> {
    let field = bytes.get(at..at + length).context("it is damaged")?;
    Ok(field.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

/// Unpacks by the central directory, which is the only valid list of the files.
fn zip(bytes: &[u8]) -> anyhow::Result<Files> {
    const END: &[u8] = b"PK\x05\x06";
    const ENTRY: &[u8] = b"PK\x01\x02";
    let end = bytes.windows(4).rposition(|window| window == END).context("it is damaged")?;
    let (entries, mut at) = (number(bytes, end + 10, 2)?, number(bytes, end + 16, 4)?);
    let mut unpacked = Unpacked::default();
    for _ in 0..entries {
        if bytes.get(at..at + 4) != Some(ENTRY) {
            bail!("it is damaged");
        }
        let (method, packed) = (number(bytes, at + 10, 2)?, number(bytes, at + 20, 4)?);
        let (name, extra, comment) =
            (number(bytes, at + 28, 2)?, number(bytes, at + 30, 2)?, number(bytes, at + 32, 2)?);
        let mode = number(bytes, at + 38, 4)? >> 16;
        let name_bytes = bytes.get(at + 46..at + 46 + name).context("it is damaged")?;
        if is_regular(mode) && !name_bytes.ends_with(b"/") {
            let content =
                zip_content(bytes, number(bytes, at + 42, 4)?, packed, method, unpacked.left())?;
            unpacked.add(name_bytes, content)?;
        }
        at += 46 + name + extra + comment;
    }
    Ok(unpacked.files)
}

/// Returns whether a mode is a regular file's. A mode of 0 comes from a system without modes.
fn is_regular(mode: usize) -> bool {
    const KIND: usize = 0o170_000;
    const FILE: usize = 0o100_000;
    mode & KIND == 0 || mode & KIND == FILE
}

fn zip_content(
    bytes: &[u8],
    at: usize,
    packed: usize,
    method: usize,
    most: usize,
) -> anyhow::Result<Vec<u8>> {
    let begin = at + 30 + number(bytes, at + 26, 2)? + number(bytes, at + 28, 2)?;
    let content = bytes.get(begin..begin + packed).context("it is damaged")?;
    match method {
        0 => Ok(content.to_owned()),
        8 => inflate(content, most),
        _ => bail!("it is compressed by a method that the grader does not know"),
    }
}

fn gzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    const EXTRA: u8 = 4;
    const NAMES: [u8; 2] = [8, 16];
    let flags = *bytes.get(3).context("it is damaged")?;
    let mut at = 10;
    if flags & EXTRA != 0 {
        at += 2 + number(bytes, at, 2)?;
    }
    for _ in NAMES.iter().filter(|name| flags & **name != 0) {
        at += 1 + bytes
            .get(at..)
            .and_then(|rest| rest.iter().position(|byte| *byte == 0))
            .context("it is damaged")?;
    }
    inflate(bytes.get(at..).context("it is damaged")?, MOST_UNPACKED)
}

fn tar(bytes: &[u8]) -> anyhow::Result<Files> {
    const BLOCK: usize = 512;
    let mut unpacked = Unpacked::default();
    let mut at = 0;
    let mut long_name: Option<Vec<u8>> = None;
    while let Some(header) = bytes.get(at..at + BLOCK).filter(|header| header[0] != 0) {
        let size = octal(&header[124..136])?;
        let content = bytes.get(at + BLOCK..at + BLOCK + size).context("it is damaged")?;
        let short = [until_nul(&header[345..500]), until_nul(&header[..100])];
        let is_ustar = &header[257..262] == b"ustar" && !short[0].is_empty();
        let name = if is_ustar { short.join(&b'/') } else { short[1].to_vec() };
        match header[156] {
            b'L' => long_name = Some(until_nul(content).to_vec()),
            b'x' => long_name = pax_path(content).or(long_name.take()),
            b'0' | 0 => unpacked.add(&long_name.take().unwrap_or(name), content.to_owned())?,
            _ => long_name = None, // folders come with their files; links and devices do not come at all
        }
        at += BLOCK + size.div_ceil(BLOCK) * BLOCK;
    }
    Ok(unpacked.files)
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn octal(field: &[u8]) -> anyhow::Result<usize> {
    let text = std::str::from_utf8(until_nul(field)).unwrap_or_default().trim();
    usize::from_str_radix(if text.is_empty() { "0" } else { text }, 8).context("it is damaged")
}

/// Finds the path in records like `LENGTH path=NAME\n`.
fn pax_path(records: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(records).ok()?;
    text.lines().find_map(|line| Some(line.split_once(" path=")?.1.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_an_error_and_no_panic() {
        assert!(
            unpack(b"PK\x03\x04").is_err() && unpack(b"\x1f\x8b").is_err() && unpack(b"").is_err()
        );
        let mut end = vec![0; 22];
        end[..4].copy_from_slice(b"PK\x05\x06");
        end[10] = 9;
        assert!(unpack(&end).is_err());
    }

    #[test]
    fn names_that_lead_outside_are_refused() {
        for name in ["../a", "/etc/passwd", "a/../../b", "..\\a"] {
            assert!(Unpacked::default().add(name.as_bytes(), Vec::new()).is_err(), "{name}");
        }
        assert!(Unpacked::default().add(b"./a/b.rs", Vec::new()).is_ok());
    }
}
