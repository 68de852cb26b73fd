//! The course's own manifests and lock files. A checkout is built from them, whatever a student
//! makes of those in the crates.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Content;
use crate::rubric::Rubric;
use crate::submission;

/// Adds a copy of each that is not there as a file of its own.
pub(super) fn add(
    rubrics: &[Rubric],
    files: &mut BTreeMap<PathBuf, Content>,
) -> anyhow::Result<()> {
    for rubric in rubrics {
        let folder = PathBuf::from("practicals").join(rubric.practical.name);
        for row in rubric.programs.iter().chain(&rubric.shared) {
            for (place, text) in submission::course_files(rubric, row)? {
                files.entry(folder.join(place)).or_insert(Content::Changed(text));
            }
        }
    }
    Ok(())
}
