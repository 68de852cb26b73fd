//! Counts files that have no name any more: no look at a folder finds them, and they take room until
//! no process has them open or mapped.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::tally::{has_ended, is_ending};

/// The size of descriptors that are on their way in a message: nothing shows what they are.
const TOO_MUCH: u64 = u64::MAX / 1024;

/// Returns the bytes that such files of these processes take. A process that hides what it has open
/// is an error, unless the system hides that of all. One that is ending hides it for a moment.
pub(super) fn size_of_unlinked(processes: &[PathBuf]) -> io::Result<u64> {
    let mut found = look_at(processes);
    for _ in 0..LOOKS_AGAIN {
        if found.is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
        found = look_at(processes);
    }
    found
}

const LOOKS_AGAIN: usize = 5;

fn look_at(processes: &[PathBuf]) -> io::Result<u64> {
    let (mut files, mut saw_one, mut hidden) = (Files::default(), false, None);
    for of in processes {
        match files.add(of) {
            Ok(()) => saw_one = true,
            Err(error) if has_ended(&error) || is_ending(of) => {}
            Err(error) => hidden = Some(error),
        }
    }
    match hidden {
        Some(error) if saw_one => Err(error),
        _ if files.in_messages => Ok(TOO_MUCH),
        _ => Ok(files.sizes.values().sum()),
    }
}

#[derive(Default)]
struct Files {
    /// The bytes of each file, by its device and its number there.
    sizes: BTreeMap<(u64, u64), u64>,
    in_messages: bool,
}

impl Files {
    /// Adds the files of a process, which is named by its folder or by that of one of its threads.
    /// Each thread may have descriptors of its own.
    fn add(&mut self, of: &Path) -> io::Result<()> {
        let threads = of.join("task");
        let threads = if threads.is_dir() { &threads } else { of.parent().unwrap_or(of) };
        for thread in fs::read_dir(threads)? {
            let thread = thread?.path();
            match self.add_open(&thread) {
                Err(error) if !has_ended(&error) && !is_ending(&thread) => return Err(error),
                _ => {}
            }
        }
        self.add_mapped(of)
    }

    fn add_open(&mut self, thread: &Path) -> io::Result<()> {
        for entry in fs::read_dir(thread.join("fd"))? {
            let entry = entry?;
            let Ok(facts) = fs::metadata(entry.path()) else { continue };
            if facts.is_file() && facts.nlink() == 0 {
                self.sizes.insert((facts.dev(), facts.ino()), facts.blocks() * 512);
            } else if facts.file_type().is_socket() {
                self.in_messages |= has_descriptors(&thread.join("fdinfo").join(entry.file_name()));
            }
        }
        Ok(())
    }

    /// Adds files that are mapped. Where the kernel does not show a file itself, what is mapped of it
    /// counts.
    fn add_mapped(&mut self, of: &Path) -> io::Result<()> {
        let maps = fs::read_to_string(of.join("maps"))?;
        for mapping in maps.lines().filter_map(Mapping::of_an_unlinked_file) {
            match fs::metadata(of.join("map_files").join(mapping.place)) {
                Ok(facts) => {
                    self.sizes.insert((facts.dev(), facts.ino()), facts.blocks() * 512);
                }
                Err(_) => _ = self.sizes.entry(mapping.file).or_insert(mapping.size),
            }
        }
        Ok(())
    }
}

/// Returns whether descriptors wait in messages to a socket (proc_pid_fdinfo(5)).
fn has_descriptors(facts: &Path) -> bool {
    let text = fs::read_to_string(facts).unwrap_or_default();
    let waiting = text.lines().find_map(|line| line.strip_prefix("scm_fds:"));
    waiting.is_some_and(|number| number.trim() != "0")
}

#[derive(Debug, PartialEq, Eq)]
struct Mapping<'a> {
    /// Its addresses.
    place: &'a str,
    size: u64,
    /// The file's device, and its number there.
    file: (u64, u64),
}

impl<'a> Mapping<'a> {
    /// Reads a line of proc_pid_maps(5): `begin-end rw-s offset major:minor inode path (deleted)`.
    fn of_an_unlinked_file(line: &'a str) -> Option<Self> {
        const IN_MEMORY: [&str; 3] = ["/dev/zero", "/memfd:", "/SYSV"];
        let line = line.strip_suffix(" (deleted)")?;
        let mut fields = line.split_ascii_whitespace();
        let hexadecimal = |text| u64::from_str_radix(text, 16).ok();
        let place = fields.next()?;
        let (begin, end) = place.split_once('-')?;
        let (major, minor) = fields.nth(2)?.split_once(':')?;
        let number = fields.next()?.parse().ok()?;
        let path = fields.next()?;
        if IN_MEMORY.iter().any(|memory| path.starts_with(memory)) {
            return None;
        }
        let device = rustix::fs::makedev(hexadecimal(major)? as u32, hexadecimal(minor)? as u32);
        let size = hexadecimal(end)?.checked_sub(hexadecimal(begin)?)?;
        Some(Self { place, size, file: (device, number) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlinked_files_are_counted_once_whether_open_or_mapped() {
        use std::io::Write;
        let own = [PathBuf::from("/proc/self")];
        let mut file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let before = size_of_unlinked(&own).unwrap();
        file.write_all(&vec![1; 4 << 20]).unwrap();
        let _twice = file.try_clone().unwrap();
        let grown = size_of_unlinked(&own).unwrap() - before;
        assert!(((4 << 20)..(5 << 20)).contains(&grown), "{grown}");
    }

    #[test]
    fn mapped_files_without_a_name_are_found() {
        let line = "7f00-9f00 rw-s 00000000 fe:01 77                    /build/large (deleted)";
        let mapping = Mapping::of_an_unlinked_file(line).unwrap();
        let file = (rustix::fs::makedev(0xfe, 1), 77);
        assert_eq!(mapping, Mapping { place: "7f00-9f00", size: 0x2000, file });
        let line = "7f00-9f00 rw-s 00000000 00:01 77                    /dev/zero (deleted)";
        assert_eq!(Mapping::of_an_unlinked_file(line), None);
        assert_eq!(Mapping::of_an_unlinked_file("7f00-9f00 r--p 0 fe:00 77  /usr/lib/x.so"), None);
    }
}
