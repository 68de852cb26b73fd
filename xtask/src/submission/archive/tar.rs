//! Reads tar, from its first entry to its last.

use std::io::{self, Read};
use std::path::PathBuf;

use anyhow::{Context, bail};

use super::{Entries, Entry, Unpacked, read_up_to};

const BLOCK: usize = 512;

/// The most bytes of a name.
const LONGEST_NAME: u64 = 64 * 1024;

pub(super) fn unpack(from: &mut impl Read) -> anyhow::Result<Entries> {
    let mut unpacked = Unpacked::default();
    let mut long = Long::default();
    let mut header = [0; BLOCK];
    while read_up_to(from, &mut header)? == BLOCK && header[0] != 0 {
        let size = size_of(&header)?;
        let mut content = from.take(size.next_multiple_of(BLOCK as u64));
        match header[156] {
            b'L' => long.name = Some(until_nul(&text(&mut content, size)?).to_vec()),
            b'K' => long.target = Some(until_nul(&text(&mut content, size)?).to_vec()),
            b'x' => long.read_pax(&text(&mut content, size)?),
            b'g' => {}
            kind => {
                let long = std::mem::take(&mut long);
                add(&mut unpacked, &header, kind, long, size, &mut content)?;
            }
        }
        let left = content.limit();
        if io::copy(&mut content, &mut io::sink())? < left {
            bail!("it is damaged");
        }
    }
    unpacked.finish()
}

fn add(
    unpacked: &mut Unpacked,
    header: &[u8; BLOCK],
    kind: u8,
    long: Long,
    size: u64,
    content: &mut impl Read,
) -> anyhow::Result<()> {
    let name = long.name.unwrap_or_else(|| short_name(header));
    let Some(path) = Unpacked::place(&name)? else { return Ok(()) };
    let is_folder = kind == b'5' || name.ends_with(b"/");
    match kind {
        _ if is_folder => unpacked.add(path, Entry::Folder),
        b'0' | b'7' | 0 => {
            let mut bytes = Vec::new();
            unpacked.add_file(path, size, || {
                content.take(size).read_to_end(&mut bytes)?;
                Ok(bytes)
            });
        }
        b'1' => {
            let target = long.target.unwrap_or_else(|| until_nul(&header[157..257]).to_vec());
            let same = Unpacked::place(&target)?.and_then(|target| unpacked.entries.get(&target));
            let entry = same.cloned().unwrap_or(Entry::Other);
            add_again(unpacked, path, entry);
        }
        _ => unpacked.add(path, Entry::Other),
    }
    Ok(())
}

/// Adds a file that the archive holds under another name, too.
fn add_again(unpacked: &mut Unpacked, path: PathBuf, entry: Entry) {
    match entry {
        Entry::File(content) => unpacked.add_file(path, content.len() as u64, || Ok(content)),
        other => unpacked.add(path, other),
    }
}

/// What the entries before a file say about it.
#[derive(Default)]
struct Long {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
}

impl Long {
    /// Reads records like `LENGTH path=NAME\n`. Other records may hold any bytes.
    fn read_pax(&mut self, mut records: &[u8]) {
        while let Some((key, value, rest)) = pax_record(records) {
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"linkpath" => self.target = Some(value.to_vec()),
                _ => {}
            }
            records = rest;
        }
    }
}

type Record<'a> = (&'a [u8], &'a [u8], &'a [u8]);

fn pax_record(records: &[u8]) -> Option<Record<'_>> {
    let space = records.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
    let record = records.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &records[length..]))
}

fn short_name(header: &[u8; BLOCK]) -> Vec<u8> {
    let (folder, name) = (until_nul(&header[345..500]), until_nul(&header[..100]));
    let is_ustar = &header[257..263] == b"ustar\0" && !folder.is_empty();
    if is_ustar { [folder, name].join(&b'/') } else { name.to_vec() }
}

fn text(content: &mut impl Read, size: u64) -> anyhow::Result<Vec<u8>> {
    if size > LONGEST_NAME {
        return Ok(Vec::new());
    }
    let mut text = Vec::new();
    content.take(size).read_to_end(&mut text)?;
    Ok(text)
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Returns the size of an entry: octal digits, or a number in base 256 for large files.
fn size_of(header: &[u8; BLOCK]) -> anyhow::Result<u64> {
    let field = &header[124..136];
    if field[0] & 0x80 != 0 {
        let low = field[4..].iter().fold(0u64, |size, byte| size << 8 | u64::from(*byte));
        return (low < 1 << 40).then_some(low).context("it is damaged");
    }
    let text = std::str::from_utf8(until_nul(field)).unwrap_or_default().trim();
    u64::from_str_radix(if text.is_empty() { "0" } else { text }, 8).context("it is damaged")
}

#[cfg(test)]
pub(in crate::submission) mod tests {
    use std::path::Path;

    use super::*;

    /// Returns a header and its content, in whole blocks.
    pub(in crate::submission) fn entry(
        name: &str,
        kind: u8,
        target: &str,
        content: &[u8],
    ) -> Vec<u8> {
        let mut bytes = vec![0; BLOCK];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        bytes[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        bytes[156] = kind;
        bytes[157..157 + target.len()].copy_from_slice(target.as_bytes());
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }

    /// Returns an archive with entries of each kind.
    pub(in super::super) fn archive() -> Vec<u8> {
        let mut ustar = entry("echo_server/a.py", b'0', "", b"x = 1");
        ustar[257..263].copy_from_slice(b"ustar\0");
        let pax = entry("p", b'x', "", b"13 path=b.py\n");
        let long = entry("l", b'L', "", b"echo_server/long.py\0");
        let link = entry("c.py", b'1', "echo_server/a.py", b"");
        let parts =
            [ustar, pax, entry("cut", b'0', "", b"y"), long, entry("cut", b'0', "", b"z"), link];
        [parts.concat(), vec![0; 2 * BLOCK]].concat()
    }

    #[track_caller]
    fn check(parts: &[Vec<u8>], name: &str, expected: Option<Entry>) {
        let bytes = parts.concat();
        let entries = unpack(&mut bytes.as_slice()).unwrap();
        assert_eq!(entries.get(Path::new(name)).cloned(), expected);
    }

    #[test]
    fn links_are_no_files_and_a_second_name_is_one() {
        let file = || Some(Entry::File(b"x = 1".to_vec()));
        let first = || entry("a.py", b'0', "", b"x = 1");
        check(&[first()], "a.py", file());
        check(&[entry("b.py", b'2', "/etc/passwd", b"")], "b.py", Some(Entry::Other));
        check(&[first(), entry("b.py", b'1', "a.py", b"")], "b.py", file());
        check(&[first(), entry("b.py", b'1', "c.py", b"")], "b.py", Some(Entry::Other));
        check(&[entry("a.py", b'0', "", b"old"), first()], "a.py", file());
        check(&[entry("echo_server/", b'5', "", b"")], "echo_server", Some(Entry::Folder));
    }

    #[test]
    fn a_name_may_stand_beside_bytes_that_are_no_text() {
        let pax = entry("p", b'x', "", b"16 SCHILY.x=\xff\n\xfe\n13 path=a.py\n");
        check(&[pax, entry("cut", b'0', "", b"")], "a.py", Some(Entry::File(Vec::new())));
    }
}
