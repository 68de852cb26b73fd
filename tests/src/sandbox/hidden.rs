//! Hides what is private, wherever it lies below the system's programs and libraries, which every
//! program may read: the course with its solution, what the grader builds, and cargo's secrets.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::landlock::{Access, Rules};
use super::tree;
use crate::fault::Fault;

/// Folders of the system's commands. A program under test needs none of these, and the dynamic
/// loader would run what it can read.
const COMMANDS: &[&str] = &[
    "/usr/bin",
    "/usr/sbin",
    "/usr/games",
    "/usr/libexec",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/games",
    "/usr/local/libexec",
];

/// Returns those of the private places that lie where every program may read, without nested ones.
pub(super) fn among_the_system(private: &[PathBuf]) -> Result<Vec<PathBuf>, Fault> {
    let system: Vec<PathBuf> =
        tree::SYSTEM.iter().filter_map(|place| fs::canonicalize(place).ok()).collect();
    let mut hidden: Vec<PathBuf> = private
        .iter()
        .filter_map(|place| fs::canonicalize(place).ok())
        .filter(|place| system.iter().any(|system| place.starts_with(system)))
        .collect();
    if let Some(place) = hidden.iter().find(|place| system.contains(place)) {
        return Err(Fault(format!(
            "programs may read all of {0}, and the grader keeps private files in it: move the course, its target folder and CARGO_HOME out of {0}",
            place.display()
        )));
    }
    hidden.sort();
    hidden.dedup_by(|inner, outer| inner.starts_with(outer));
    Ok(hidden)
}

/// Returns the folders of the system's commands, by their real names.
pub(super) fn commands() -> impl Iterator<Item = PathBuf> {
    COMMANDS.iter().filter_map(|place| fs::canonicalize(place).ok())
}

/// Allows `access` below `place`, but not below the `hidden` places. Landlock cannot take a right
/// back, so what lies beside each hidden place is allowed entry by entry. A link needs no rule: what
/// it leads to has one, or may not be read.
pub(super) fn allow_except(
    rules: &Rules,
    place: &Path,
    access: Access,
    hidden: &[PathBuf],
) -> io::Result<()> {
    let Ok(real) = fs::canonicalize(place) else { return Ok(()) };
    if hidden.iter().any(|hidden| real.starts_with(hidden)) {
        return Ok(());
    }
    if !hidden.iter().any(|hidden| hidden.starts_with(&real)) {
        return rules.allow(&real, access);
    }
    for entry in fs::read_dir(&real)? {
        let entry = entry?;
        if !entry.file_type()?.is_symlink() {
            allow_except(rules, &entry.path(), access, hidden)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(private: &[&str]) -> Result<Vec<PathBuf>, Fault> {
        among_the_system(&private.iter().map(PathBuf::from).collect::<Vec<_>>())
    }

    #[test]
    fn what_programs_cannot_reach_is_not_hidden() {
        assert_eq!(
            hidden(&["/", "/tmp", "/usr/no such place"]).unwrap(),
            [""; 0].map(PathBuf::from)
        );
    }

    #[test]
    fn the_outermost_private_places_are_hidden() {
        let found = hidden(&["/usr/local/lib", "/usr/lib/../share", "/usr/local"]).unwrap();
        assert_eq!(found, ["/usr/local", "/usr/share"].map(PathBuf::from));
    }

    #[test]
    fn a_course_that_is_the_system_is_refused() {
        let Fault(why) = hidden(&["/usr"]).unwrap_err();
        assert!(why.contains("move the course"), "{why}");
    }
}
