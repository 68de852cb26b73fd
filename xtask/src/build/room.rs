//! Tells a program that does not compile from a machine that has no room for a build.

use std::path::Path;

use anyhow::bail;
use suite::Fault;

use super::Built;
use crate::files;
use crate::submission::StagedCrate;
use crate::unbuilt::Reason;

/// Below this much room on the disk, a failed build says nothing about a program.
const ROOM: u64 = 128 * MIB;

const MIB: u64 = 1024 * 1024;

/// Returns what came of a build, or a fault where the machine may have made it fail. What the build
/// itself has left counts as room: a submission cannot fill the disk to hide an error.
pub(super) fn unless_there_was_none(built: Built, staged: &StagedCrate) -> anyhow::Result<Built> {
    let Built::Not(unbuilt) = &built else { return Ok(built) };
    if !matches!(unbuilt.reason, Reason::DoesNotCompile(_) | Reason::MissesDependency(_)) {
        return Ok(built);
    }
    suite::check_machine()?;
    for place in staged.places_to_build() {
        match files::room_in(place).map(|free| free + size_of(place)) {
            Some(room) if room < ROOM => bail!(too_little(staged, place, room)),
            _ => {}
        }
    }
    Ok(built)
}

fn too_little(staged: &StagedCrate, place: &Path, room: u64) -> Fault {
    Fault(format!(
        "{} was not built, and a build needs {} MiB of disk; {} has room for {}: free some space \
         there",
        staged.name,
        ROOM / MIB,
        place.display(),
        room / MIB
    ))
}

/// Returns how many bytes of the disk a folder takes.
#[cfg(unix)]
fn size_of(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| {
        let facts = entry.metadata().ok()?;
        let inside = if facts.is_dir() { size_of(&entry.path()) } else { 0 };
        Some(facts.blocks() * 512 + inside)
    });
    sizes.sum()
}

#[cfg(not(unix))]
fn size_of(_folder: &Path) -> u64 {
    0
}
