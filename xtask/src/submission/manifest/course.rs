//! The course's own manifest and lock file of a crate.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use toml::{Table, Value};

use crate::files;
use crate::rubric::{ProgramRow, Rubric};

/// What every submission of one crate is built with.
#[derive(Debug)]
pub(in crate::submission) struct Course {
    /// The name of the program, or of the library.
    pub(super) name: String,
    pub(super) manifest: Table,
    pub(in crate::submission) lock: Option<Vec<u8>>,
    /// Name and version of each package in the lock file.
    pub(super) locked: Vec<(String, String)>,
    /// The packages that the rubric allows.
    pub(super) allowed: Vec<String>,
    /// The libraries that the practical's programs share.
    pub(super) shared: Vec<String>,
    pub(super) is_library: bool,
}

impl Course {
    /// Finds the course's manifest and lock file. `is_ours` says that the practical's folder holds
    /// the skeletons, and not a student's work.
    pub(in crate::submission) fn find(
        rubric: &Rubric,
        row: &ProgramRow,
        is_ours: bool,
    ) -> anyhow::Result<Self> {
        let shared: Vec<String> = rubric.shared.iter().map(|row| row.name.clone()).collect();
        let is_library = shared.contains(&row.name);
        let manifest = manifest(rubric, row, is_ours)?;
        let lock = lock(rubric, row);
        let locked = lock.as_deref().map(packages).unwrap_or_default();
        let (name, allowed) = (row.name.clone(), row.dependencies.clone());
        Ok(Self { name, manifest, lock, locked, allowed, shared, is_library })
    }

    /// Returns a table of the manifest.
    pub(super) fn table(&self, key: &str) -> Table {
        self.manifest.get(key).and_then(Value::as_table).cloned().unwrap_or_default()
    }

    /// Returns the version of a package in the lock file.
    pub(super) fn version(&self, package: &str) -> Option<&str> {
        let mut found = self.locked.iter().filter(|(name, _)| name == package);
        found.next().map(|(_, version)| &**version)
    }
}

/// Returns the course's manifest and lock file of a crate, with the names that they have in a
/// release.
pub(crate) fn course_files(
    rubric: &Rubric,
    row: &ProgramRow,
) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let name = |kind| Path::new("manifests").join(format!("{}.{kind}", row.name));
    let manifest = toml::to_string(&manifest(rubric, row, true)?)?;
    let lock = lock(rubric, row).map(|lock| String::from_utf8_lossy(&lock).into_owned());
    let lock = lock.map(|lock| (name("lock"), lock));
    Ok([(name("toml"), manifest)].into_iter().chain(lock).collect())
}

/// Returns the places of a crate's file, the best one first: a release has `manifests/`, and the
/// instructor's repository has the solution.
fn places(rubric: &Rubric, row: &ProgramRow, kind: &str) -> [PathBuf; 3] {
    let (name, file) = (&row.name, format!("Cargo.{kind}"));
    [
        rubric.folder.join("manifests").join(format!("{name}.{kind}")),
        rubric.folder.join("solution").join(name).join(&file),
        rubric.folder.join(name).join(&file),
    ]
}

fn manifest(rubric: &Rubric, row: &ProgramRow, is_ours: bool) -> anyhow::Result<Table> {
    let [released, solution, skeleton] = places(rubric, row, "toml");
    let places = [released, solution].into_iter().chain(is_ours.then_some(skeleton));
    match places.into_iter().find(|place| place.is_file()) {
        Some(place) => read(&place),
        None => Ok(plain(&row.name)),
    }
}

fn read(place: &Path) -> anyhow::Result<Table> {
    let wrong = |error: &dyn std::fmt::Display| anyhow!("{}: {error}", place.display());
    let text = files::read_text(place).map_err(|error| wrong(&error))?;
    text.parse().map_err(|error: toml::de::Error| wrong(&error.message()))
}

/// Returns the manifest of a crate for which the course has none.
fn plain(name: &str) -> Table {
    let package =
        [("name", name), ("version", "0.1.0"), ("edition", "2024"), ("rust-version", "1.89")];
    let mut package: Table =
        package.map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect();
    package.insert("publish".to_owned(), false.into());
    Table::from_iter([("package".to_owned(), package.into())])
}

/// Returns the first lock file that has all packages which the rubric allows, or else the first.
fn lock(rubric: &Rubric, row: &ProgramRow) -> Option<Vec<u8>> {
    let locks =
        places(rubric, row, "lock").into_iter().filter_map(|place| files::read(&place).ok());
    let mut locks: Vec<Vec<u8>> = locks.collect();
    let has_all = |lock: &Vec<u8>| {
        let packages = packages(lock);
        row.dependencies.iter().all(|wanted| packages.iter().any(|(name, _)| name == wanted))
    };
    let best = locks.iter().position(has_all).unwrap_or(0);
    (!locks.is_empty()).then(|| locks.swap_remove(best))
}

/// Returns name and version of the packages of a lock file that come from a registry.
pub(in crate::submission) fn packages(lock: &[u8]) -> Vec<(String, String)> {
    let table: Table =
        std::str::from_utf8(lock).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    let packages = table.get("package").and_then(Value::as_array).into_iter().flatten();
    let text = |package: &Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    packages
        .filter(|package| package.get("source").is_some())
        .filter_map(|package| Some((text(package, "name")?, text(package, "version")?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A student's manifest is compared with the solution's, and begins as the skeleton's.
    #[test]
    fn skeletons_and_solutions_have_the_same_manifests() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../practicals");
        for practical in suite::PRACTICALS {
            let folder = root.join(practical.name);
            let rubric = crate::rubric::read_from(practical, &folder, "rubric.toml").unwrap();
            for row in rubric.programs.iter().chain(&rubric.shared) {
                let [_, solution, skeleton] = places(&rubric, row, "toml");
                let is_here = solution.is_file(); // a released repository has no solution
                assert!(
                    !is_here || read(&solution).unwrap() == read(&skeleton).unwrap(),
                    "{}",
                    row.name
                );
            }
        }
    }
}
