//! Fills a folder that stands in for the one in which a program was called, where there is no
//! private file tree. What the program writes in its current folder is then thrown away, and the
//! real folder stays as it is.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::spec::Reach;

/// The most entries, and the most bytes of a file, that are copied. The rest are links.
const MOST_ENTRIES: usize = 500;
const MOST_BYTES: u64 = 1024 * 1024;

/// The most entries of a folder that are shown at all.
const MOST_LINKS: usize = 5000;

/// Fills `to` with what the program may read of `here`.
pub(super) fn fill(to: &Path, here: &Path, reach: &Reach) -> io::Result<()> {
    let mut entries = 0;
    for place in &reach.read {
        if here.starts_with(place) {
            show_all(here, to, &mut entries)?;
        } else if let Ok(within) = place.strip_prefix(here) {
            let target = to.join(within);
            target.parent().map_or(Ok(()), fs::create_dir_all)?;
            show(place, &target, &mut entries)?;
        }
    }
    Ok(())
}

/// Shows a place by a copy or by a link to it. Nothing that a program can write to may be executed,
/// so an executable is a link.
fn show(place: &Path, target: &Path, entries: &mut usize) -> io::Result<()> {
    *entries += 1;
    match fs::symlink_metadata(place) {
        Ok(facts) if facts.is_dir() && *entries < MOST_ENTRIES => {
            fs::create_dir_all(target)?;
            show_all(place, target, entries)
        }
        Ok(facts) if facts.is_file() && !is_executable(&facts) && facts.len() <= MOST_BYTES => {
            fs::copy(place, target).map(drop).or_else(|_| link(place, target))
        }
        _ => link(place, target),
    }
}

fn show_all(folder: &Path, target: &Path, entries: &mut usize) -> io::Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_LINKS) {
        show(&entry.path(), &target.join(entry.file_name()), entries)?;
    }
    Ok(())
}

fn link(place: &Path, target: &Path) -> io::Result<()> {
    if target.symlink_metadata().is_ok() { Ok(()) } else { symlink(place, target) }
}

fn is_executable(facts: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    facts.permissions().mode() & 0o111 != 0
}
