//! Reads zip by its central directory, which is the only valid list of the files.

use std::io::{Read, Seek, SeekFrom};

use anyhow::{Context, bail};
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};

use super::{Entries, Entry, Unpacked, number, too_many_bytes};
use crate::submission::holder::MOST_BYTES;

/// The most bytes of the central directory.
const MOST_LISTED: u64 = 64 * 1024 * 1024;

/// How far from its end the end of the central directory may begin.
const FARTHEST_END: u64 = 22 + 0xffff;

pub(super) fn unpack(from: &mut (impl Read + Seek)) -> anyhow::Result<Entries> {
    const ENTRY: &[u8] = b"PK\x01\x02";
    let directory = directory(from)?;
    let mut unpacked = Unpacked::default();
    let mut at = 0;
    while directory.get(at..at + 4) == Some(ENTRY) {
        let row = Row::read(&directory, at)?;
        add(&mut unpacked, from, &row)?;
        at = row.end;
    }
    unpacked.finish()
}

fn directory(from: &mut (impl Read + Seek)) -> anyhow::Result<Vec<u8>> {
    const END: &[u8] = b"PK\x05\x06";
    const NOWHERE: usize = 0xffff_ffff;
    let length = from.seek(SeekFrom::End(0))?;
    let last = length.min(FARTHEST_END);
    let tail = part(from, length - last, last)?;
    let end = tail.windows(4).rposition(|window| window == END).context("it is damaged")?;
    let (rows, begin) = (number(&tail, end + 10, 2)?, number(&tail, end + 16, 4)?);
    let length = (length - last + end as u64).checked_sub(begin as u64);
    match length {
        _ if begin == NOWHERE => bail!("it has more than 4 GiB"),
        Some(length) if length >= 46 * rows.min(1) as u64 && length <= MOST_LISTED => {
            part(from, begin as u64, length)
        }
        _ => bail!("it is damaged"),
    }
}

fn part(from: &mut (impl Read + Seek), at: u64, length: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.seek(SeekFrom::Start(at))?;
    from.take(length).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        bail!("it is damaged");
    }
    Ok(bytes)
}

/// One row of the central directory.
struct Row<'a> {
    name: &'a [u8],
    is_encrypted: bool,
    method: usize,
    packed: u64,
    unpacked: u64,
    mode: usize,
    /// Where the file's own header is.
    at: u64,
    /// Where the next row begins.
    end: usize,
}

impl<'a> Row<'a> {
    fn read(bytes: &'a [u8], at: usize) -> anyhow::Result<Self> {
        let field = |offset, length| number(bytes, at + offset, length);
        let name_end = at + 46 + field(28, 2)?;
        Ok(Self {
            name: bytes.get(at + 46..name_end).context("it is damaged")?,
            is_encrypted: field(8, 2)? & 1 != 0,
            method: field(10, 2)?,
            packed: field(20, 4)? as u64,
            unpacked: field(24, 4)? as u64,
            mode: field(38, 4)? >> 16,
            at: field(42, 4)? as u64,
            end: name_end + field(30, 2)? + field(32, 2)?,
        })
    }

    /// Returns whether the mode is a regular file's. A mode of 0 comes from a system without modes.
    fn is_regular(&self) -> bool {
        const KIND: usize = 0o170_000;
        const FILE: usize = 0o100_000;
        self.mode & KIND == 0 || self.mode & KIND == FILE
    }
}

fn add(
    unpacked: &mut Unpacked,
    from: &mut (impl Read + Seek),
    row: &Row<'_>,
) -> anyhow::Result<()> {
    let Some(path) = Unpacked::place(row.name)? else { return Ok(()) };
    if row.name.ends_with(b"/") || row.name.ends_with(b"\\") {
        unpacked.add(path, Entry::Folder);
    } else if !row.is_regular() {
        unpacked.add(path, Entry::Other);
    } else if unpacked.entries.contains_key(&path) {
        unpacked.add(path, Entry::Unread("it is in the archive twice".to_owned()));
    } else {
        unpacked.add_file(path, row.unpacked.max(row.packed / 2), || content(from, row));
    }
    Ok(())
}

fn content(from: &mut (impl Read + Seek), row: &Row<'_>) -> anyhow::Result<Vec<u8>> {
    if row.is_encrypted {
        bail!("it is encrypted");
    }
    let header = part(from, row.at, 30)?;
    let begin = row.at + 30 + (number(&header, 26, 2)? + number(&header, 28, 2)?) as u64;
    let packed = part(from, begin, row.packed)?;
    match row.method {
        0 if row.packed <= MOST_BYTES => Ok(packed),
        8 => inflate(&packed),
        _ => bail!("it is compressed by a method that the harness does not know"),
    }
}

fn inflate(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let unpacked = decompress_to_vec_with_limit(bytes, MOST_BYTES as usize);
    unpacked.map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => anyhow::anyhow!("{}", too_many_bytes(MOST_BYTES + 1)),
        _ => anyhow::anyhow!("it is damaged"),
    })
}

#[cfg(test)]
pub(super) mod tests {
    /// Returns an archive with a file that is stored, and one that is packed.
    pub(in super::super) fn archive() -> Vec<u8> {
        let packed = miniz_oxide::deflate::compress_to_vec(b"x = 1\nx = 1\nx = 1\n", 6);
        let files: [(&str, u8, &[u8], u8); 2] =
            [("echo_server/a.py", 0, b"x = 1", 5), ("echo_server/b.py", 8, &packed, 18)];
        let (mut archive, mut directory) = (Vec::new(), Vec::new());
        for (name, method, content, size) in files {
            let sizes =
                [0, 0, 0, 0, content.len() as u8, 0, 0, 0, size, 0, 0, 0, name.len() as u8, 0];
            let common = [&[20, 0, 0, 0, method, 0, 0, 0, 0, 0], &sizes[..], &[0, 0]].concat();
            let at = (archive.len() as u32).to_le_bytes();
            let row = [b"PK\x01\x02\x14\0", &common[..], &[0; 10], &at, name.as_bytes()].concat();
            directory.extend(row);
            archive.extend([b"PK\x03\x04", &common[..], name.as_bytes(), content].concat());
        }
        let (length, begin) = (directory.len() as u32, archive.len() as u32);
        let end = [
            b"PK\x05\x06\0\0\0\0\x02\0\x02\0",
            &length.to_le_bytes()[..],
            &begin.to_le_bytes(),
            &[0, 0],
        ];
        [archive, directory, end.concat()].concat()
    }

    #[test]
    fn the_archive_of_the_tests_is_right() {
        let entries = super::unpack(&mut std::io::Cursor::new(archive())).unwrap();
        let sizes = entries.values().map(|entry| match entry {
            super::Entry::File(content) => content.len(),
            other => panic!("{other:?}"),
        });
        assert_eq!(sizes.collect::<Vec<_>>(), [5, 18]);
    }
}
