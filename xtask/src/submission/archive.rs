//! `.zip`, `.tar.gz` and `.tar`, unpacked in memory: only regular files whose names stay in the
//! archive, up to a limit.
//!
//! Unpacking writes nothing, so a name cannot lead to another file. What tools have made, and files
//! that are no text, do not count against the limits: they are not unpacked.
//! (PKWARE's APPNOTE 6.3.10; POSIX pax, ustar; RFC 1952.)

mod gzip;
pub(super) mod tar;
mod tree;
mod weight;
mod zip;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};

use super::holder::MOST_BYTES;
use super::names::is_made;
use weight::Weight;

pub(super) use tree::Tree;

/// The limits of an archive: unpacked bytes, files, and names of any kind.
const MOST_UNPACKED: usize = 32 * 1024 * 1024;
const MOST_FILES: usize = 5000;
const MOST_NAMES: usize = 20_000;

/// The most bytes of a name with its folders, and the most folders. Longer names are left out.
const LONGEST_NAME: usize = 1024;
const DEEPEST: usize = 32;

/// What an archive has under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    File(Vec<u8>),
    /// A file that was not unpacked, and the reason.
    Unread(String),
    Folder,
    /// A link or a device.
    Other,
}

pub(super) type Entries = BTreeMap<PathBuf, Entry>;

/// Reads an archive.
pub(super) fn unpack(file: File) -> anyhow::Result<Entries> {
    let mut file = BufReader::with_capacity(1 << 16, file);
    let mut begin = [0; 262];
    let length = read_up_to(&mut file, &mut begin)?;
    file.seek(SeekFrom::Start(0))?;
    match &begin[..length] {
        [b'P', b'K', ..] => zip::unpack(&mut file),
        [0x1f, 0x8b, ..] => tar::unpack(&mut gzip::open(file)?),
        [.., b'u', b's', b't', b'a', b'r'] if length == begin.len() => tar::unpack(&mut file),
        begin => bail!("{}", what_else(begin)),
    }
}

/// Names the kind of an archive that is not read.
fn what_else(begin: &[u8]) -> String {
    const KINDS: [(&[u8], &str); 4] =
        [(b"7z\xbc\xaf", ".7z"), (b"Rar!", ".rar"), (b"\xfd7zXZ", ".tar.xz"), (b"BZh", ".tar.bz2")];
    match KINDS.iter().find(|(magic, _)| begin.starts_with(magic)) {
        Some((_, kind)) => format!("it is a {kind}: pack it as a .zip or a .tar.gz"),
        None => "it is not a folder, a .zip or a .tar.gz".to_owned(),
    }
}

/// Fills a buffer as far as the input goes.
fn read_up_to(from: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match from.read(&mut buffer[length..])? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}

/// What was gathered so far.
#[derive(Default)]
struct Unpacked {
    entries: Entries,
    bytes: usize,
    files: usize,
    weight: Weight,
}

impl Unpacked {
    /// Returns where an entry belongs, or `None` if it is a tool's. An unknown encoding leaves marks
    /// in the name, which then cannot be in a copy.
    fn place(name: &[u8]) -> anyhow::Result<Option<PathBuf>> {
        if name.len() > LONGEST_NAME {
            return Ok(None);
        }
        let name = String::from_utf8_lossy(name).replace('\\', "/");
        let path = Path::new(name.trim_start_matches("./"));
        if path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            bail!("the name {name:?} in it leads outside");
        }
        let path: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
        let is_left = path.as_os_str().is_empty()
            || path.iter().count() > DEEPEST
            || path.ancestors().any(is_made);
        Ok((!is_left).then_some(path))
    }

    fn add(&mut self, path: PathBuf, entry: Entry) {
        if self.entries.len() <= MOST_NAMES {
            self.entries.insert(path, entry);
        }
    }

    /// Adds a file of this size. Its content is read only if it is wanted.
    fn add_file(
        &mut self,
        path: PathBuf,
        size: u64,
        read: impl FnOnce() -> anyhow::Result<Vec<u8>>,
    ) {
        let unread = if size > MOST_BYTES {
            Some(too_many_bytes(size))
        } else if is_no_text(&path) {
            Some("files of this kind are not taken".to_owned())
        } else {
            self.weight.add(&path, size);
            self.bytes = self.bytes.saturating_add(size as usize);
            self.files += 1;
            self.is_too_much().then(String::new)
        };
        let entry = match unread {
            Some(why) => Entry::Unread(why),
            None => read().map_or_else(|error| Entry::Unread(format!("{error:#}")), Entry::File),
        };
        self.add(path, entry);
    }

    fn is_too_much(&self) -> bool {
        self.bytes > MOST_UNPACKED || self.files > MOST_FILES
    }

    fn finish(self) -> anyhow::Result<Entries> {
        if self.entries.len() > MOST_NAMES {
            bail!("it has more than {MOST_NAMES} names: leave out what no program needs");
        }
        if self.is_too_much() {
            let most = MOST_UNPACKED / 1024 / 1024;
            let largest = match self.bytes > MOST_UNPACKED {
                true => self.weight.heaviest(|size| size.bytes),
                false => self.weight.heaviest(|size| size.files),
            };
            bail!(
                "unpacked it has more than {MOST_FILES} files or {most} MiB; the largest folder is {largest}: leave out what no program needs"
            );
        }
        Ok(self.entries)
    }
}

pub(super) fn too_many_bytes(size: u64) -> String {
    format!("it has {size} bytes; at most {MOST_BYTES} are taken")
}

/// The ends of names that no source and no text has.
const NO_TEXT: &str = "png jpg jpeg gif webp ico bmp pdf ps mp3 wav ogg mp4 mov avi mkv webm zip gz tgz \
    xz bz2 zst 7z rar jar war class o obj a lib so dll dylib exe pdb rlib rmeta pyc pyo whl wasm \
    iso img dmg pcap pcapng docx pptx xlsx odt";

fn is_no_text(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    NO_TEXT.split(' ').any(|other| !other.is_empty() && other == ending)
}

/// Returns a number whose lowest byte comes first.
fn number(bytes: &[u8], at: usize, length: usize) -> anyhow::Result<usize> {
    let field = bytes.get(at..at + length).context("it is damaged")?;
    Ok(field.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::mutations::Inputs;

    fn unpack_bytes(bytes: &[u8]) -> anyhow::Result<Entries> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        unpack(file)
    }

    #[test]
    fn damage_is_an_error_and_no_panic() {
        let mut end = vec![0; 22];
        end[..4].copy_from_slice(b"PK\x05\x06");
        end[10] = 9;
        end[16] = 200;
        for bytes in [b"PK\x03\x04".as_slice(), b"\x1f\x8b", b"", b"7z\xbc\xaf", &end] {
            assert!(unpack_bytes(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_bad_archive_is_refused_in_one_line() {
        let tar = tar::tests::archive();
        let (gzip, zip) = (gzipped(&tar), zip::tests::archive());
        let words = ["../", "PK\x01\x02", "PK\x05\x06", "ustar", "13 path=a.py\n", "target/"];
        let mut file = tempfile::tempfile().unwrap();
        for (name, archive) in [("zip", zip), ("tar", tar), ("gzip", gzip)] {
            let inputs = Inputs { right: &[&archive], words: &words, ..Inputs::default() };
            inputs.check(name, |input| {
                file.set_len(0)?;
                file.rewind()?;
                file.write_all(input)?;
                file.rewind()?;
                let entries = unpack(file.try_clone()?)?;
                assert!(entries.keys().all(|path| stays_inside(path)), "{:?}", entries.keys());
                Ok(())
            });
        }
    }

    fn stays_inside(path: &Path) -> bool {
        path.components().all(|part| matches!(part, Component::Normal(_)))
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        const NAMED: &[u8] = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03a.tar\0";
        [NAMED, &miniz_oxide::deflate::compress_to_vec(bytes, 6), &[0; 8]].concat()
    }

    #[test]
    fn names_that_lead_outside_are_refused() {
        for name in ["../a", "/etc/passwd", "a/../../b", "..\\a"] {
            assert!(Unpacked::place(name.as_bytes()).is_err(), "{name}");
        }
        assert_eq!(Unpacked::place(b"./a/b.rs").unwrap(), Some(PathBuf::from("a/b.rs")));
    }

    #[test]
    fn what_tools_have_made_is_not_unpacked() {
        for name in ["target/debug/x", "a/.git/HEAD", "node_modules/x.js", "__MACOSX/._a", "./"] {
            assert_eq!(Unpacked::place(name.as_bytes()).unwrap(), None, "{name}");
        }
        assert!(Unpacked::place(b"src/target/mod.rs").unwrap().is_some());
    }

    #[test]
    fn the_largest_folder_is_named() {
        let mut unpacked = Unpacked::default();
        let mut add = |path: &str, size| {
            unpacked.add_file(PathBuf::from(path), size, || Ok(Vec::new()));
        };
        add("hw/echo_server.py", 2000);
        (0..40).for_each(|n| add(&format!("hw/data/runs/{n}.csv"), 1_000_000));
        (0..10).for_each(|n| add(&format!("hw/film/{n}.mp4"), 100_000_000));
        let error = unpacked.finish().unwrap_err().to_string();
        assert!(error.contains("the largest folder is hw/data/runs (38.1 MiB"), "{error}");
    }
}
