//! From a submission to sources: finds the programs, and copies the files that the rubric lists, and no others, into a folder
//! of the harness's own.
//!
//! The copy is kept from grading to grading, and a file that has not changed is not touched, so that cargo builds only what
//! the student has edited.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use suite::Planned;

use crate::cli::{GradeRequest, Origin, ProgramCommand};
use crate::repository::{self, Repository};
use crate::rubric::{ProgramRow, Rubric};

/// What a program's folder may hold: generous for a student, harmless for the harness.
const MOST_FILES: usize = 200;
const MOST_BYTES: u64 = 1024 * 1024;
const DEEPEST: usize = 8;

/// What is to be built, or run as it is.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) programs: Vec<Source>,
    /// What is graded, as the report calls it.
    pub(crate) submission: String,
}

/// One program.
#[derive(Debug)]
pub(crate) enum Source {
    Crate(StagedCrate),
    Command(ProgramCommand),
}

/// A crate whose listed files were copied.
#[derive(Debug)]
pub(crate) struct StagedCrate {
    pub(crate) name: String,
    /// Where the copy is.
    pub(crate) folder: PathBuf,
    /// Where cargo builds it: for this crate of this submission alone, since a shared folder hands out another's program.
    pub(crate) target: PathBuf,
    /// Where it came from, as a person would write it.
    pub(crate) origin: String,
    /// Changes with the name or content of any of its files.
    pub(crate) fingerprint: u64,
}

/// Stages every program that the plan runs.
pub(crate) fn stage(
    repository: &Repository,
    rubric: &Rubric,
    plan: &[Planned],
    request: &GradeRequest,
) -> anyhow::Result<Sources> {
    if let Some(stranger) = request.programs.iter().find(|given| !rubric.practical.programs.contains(&&*given.name)) {
        let known = rubric.practical.programs.join(", ");
        bail!("--program {}: {} has no such program; it has {known}", stranger.name, rubric.practical.name);
    }
    let wanted: BTreeSet<&str> = plan.iter().flat_map(|planned| planned.check.programs).copied().collect();
    let base = base(repository, rubric, &request.origin)?;
    let programs = rubric.programs.iter().filter(|row| wanted.contains(&*row.name)).map(|row| {
        match request.programs.iter().rev().find(|given| given.name == row.name) {
            Some(given) => Ok(Source::Command(given.clone())),
            None => stage_crate(repository, rubric, row, &base).map(Source::Crate),
        }
    });
    Ok(Sources { programs: programs.collect::<anyhow::Result<_>>()?, submission: repository.relative(&base) })
}

/// The folder in which the programs are looked for.
fn base(repository: &Repository, rubric: &Rubric, origin: &Origin) -> anyhow::Result<PathBuf> {
    match origin {
        Origin::Practical => Ok(rubric.folder.clone()),
        Origin::Solution => {
            let solution = rubric.folder.join("solution");
            if !solution.is_dir() {
                bail!("there is no reference solution in {}", repository.relative(&rubric.folder));
            }
            Ok(solution)
        }
        Origin::Submission(folder) => {
            if !folder.is_dir() {
                bail!("--submission {}: there is no such folder", folder.display());
            }
            fs::canonicalize(folder).with_context(|| format!("--submission {}", folder.display()))
        }
    }
}

/// Where students put a program: at the top, in a folder named like the branch, or in the practical's own, where a skeleton
/// stands that they may have left as it was.
fn find(rubric: &Rubric, name: &str, base: &Path) -> Option<PathBuf> {
    let places = [
        base.join(name),
        base.join(&rubric.branch).join(name),
        base.join("practicals").join(rubric.practical.name).join(name),
    ];
    places.into_iter().find(|place| place.join("Cargo.toml").is_file())
}

fn stage_crate(repository: &Repository, rubric: &Rubric, row: &ProgramRow, base: &Path) -> anyhow::Result<StagedCrate> {
    let from = find(rubric, &row.name, base).with_context(|| {
        let shown = repository.relative(base);
        format!(
            "no {name}/Cargo.toml in {shown}: put the crate there, or name a command with --program {name}=…",
            name = row.name
        )
    })?;
    let own = repository::target()?.join(format!("{}-{:016x}", rubric.practical.name, hash(&from)));
    let folder = own.join(&row.name);
    let files =
        listed_files(&from, &row.files).with_context(|| format!("{} is refused", repository.relative(&from)))?;
    let fingerprint =
        copy(&from, &folder, &files).with_context(|| format!("{} cannot be copied", repository.relative(&from)))?;
    Ok(StagedCrate {
        name: row.name.clone(),
        folder,
        target: own.join("target"),
        origin: repository.relative(&from),
        fingerprint,
    })
}

/// One folder of the harness's for each folder of anybody's.
fn hash(path: &Path) -> u64 {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    Fnv::new().with(path.as_os_str().as_encoded_bytes()).0
}

/// FNV-1a: the same on every machine and in every release.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fnv(pub(crate) u64);

impl Fnv {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// With these bytes and their number.
    pub(crate) fn with(self, bytes: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        Self(bytes.len().to_be_bytes().iter().chain(bytes).fold(self.0, step))
    }
}

/// The files below `folder` that a pattern names; links, pipes and other things that are no files are not followed or read.
fn listed_files(folder: &Path, patterns: &[String]) -> anyhow::Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(within) = folders.pop() {
        for entry in fs::read_dir(folder.join(&within)).with_context(|| format!("{}", within.display()))? {
            let entry = entry?;
            let path = within.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() && path.components().count() < DEEPEST && patterns.iter().any(|p| may_hold(p, &path)) {
                folders.push(path);
            } else if !kind.is_dir() && patterns.iter().any(|pattern| matches(pattern, &path)) {
                check_file(folder, &path)?;
                files.insert(path);
            }
            if files.len() > MOST_FILES {
                bail!("more than {MOST_FILES} files");
            }
        }
    }
    Ok(files)
}

fn check_file(folder: &Path, path: &Path) -> anyhow::Result<()> {
    let facts = fs::symlink_metadata(folder.join(path))?;
    if !facts.is_file() {
        bail!("{} is not a regular file", path.display());
    }
    if facts.len() > MOST_BYTES {
        bail!("{} has {} bytes; at most {MOST_BYTES} are taken", path.display(), facts.len());
    }
    Ok(())
}

/// Whether `pattern`, like `src/**/*.rs`, names this path. `**` stands for any folders, `*` for any part of a name.
fn matches(pattern: &str, path: &Path) -> bool {
    let names: Vec<_> = path.iter().map(|name| name.to_string_lossy()).collect();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    let pattern: Vec<&str> = pattern.split('/').collect();
    matches_names(&pattern, &names)
}

fn matches_names(pattern: &[&str], names: &[&str]) -> bool {
    match (pattern, names) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=names.len()).any(|skipped| matches_names(rest, &names[skipped..])),
        ([first, rest @ ..], [name, names @ ..]) => matches_name(first, name) && matches_names(rest, names),
        _ => false,
    }
}

fn matches_name(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => {
            name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
        }
    }
}

/// Whether a folder may hold what the pattern names.
fn may_hold(pattern: &str, folder: &Path) -> bool {
    let fixed: Vec<&str> = pattern.split('/').take_while(|part| !part.contains('*')).collect();
    folder.iter().zip(&fixed).all(|(name, part)| name.to_string_lossy() == **part)
        && (pattern.contains("**") || folder.iter().count() < pattern.split('/').count())
}

/// Makes `to` hold these files of `from` and nothing else; files that are the same already stay as they are. Returns the
/// fingerprint of it all.
fn copy(from: &Path, to: &Path, files: &BTreeSet<PathBuf>) -> anyhow::Result<u64> {
    let mut fingerprint = Fnv::new();
    for path in files {
        let content = fs::read(from.join(path))?;
        fingerprint = fingerprint.with(path.as_os_str().as_encoded_bytes()).with(&content);
        let place = to.join(path);
        if fs::read(&place).is_ok_and(|there| there == content) {
            continue;
        }
        let folder = place.parent().unwrap_or(to);
        fs::create_dir_all(folder)?;
        let mut new = tempfile::Builder::new().prefix(HALF_WRITTEN).tempfile_in(folder)?;
        new.write_all(&content)?;
        new.persist(&place)?;
    }
    remove_others(to, Path::new(""), files)?;
    Ok(fingerprint.0)
}

/// What the name of a file begins with that a grading of the same folder is writing at this moment.
const HALF_WRITTEN: &str = ".staging-";

fn is_half_written(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(HALF_WRITTEN))
}

fn remove_others(to: &Path, within: &Path, files: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
    const CARGOS_OWN: &str = "Cargo.lock";
    for entry in fs::read_dir(to.join(within))? {
        let path = within.join(entry?.file_name());
        let place = to.join(&path);
        if place.is_dir() {
            remove_others(to, &path, files)?;
        } else if !files.contains(&path) && path != Path::new(CARGOS_OWN) && !is_half_written(&path) {
            _ = fs::remove_file(place); // another grading of the same folder may have been faster
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_files() {
        for (pattern, path, named) in [
            ("Cargo.toml", "Cargo.toml", true),
            ("Cargo.toml", "src/Cargo.toml", false),
            ("src/**/*.rs", "src/main.rs", true),
            ("src/**/*.rs", "src/net/wire.rs", true),
            ("src/**/*.rs", "src/main.rs.bak", false),
            ("src/**/*.rs", "build.rs", false),
            ("*.py", "echo_server.py", true),
        ] {
            assert_eq!(matches(pattern, Path::new(path)), named, "{pattern} {path}");
        }
    }

    #[test]
    fn only_folders_that_may_hold_something_are_entered() {
        assert!(may_hold("src/**/*.rs", Path::new("src/net")));
        assert!(!may_hold("src/**/*.rs", Path::new("target")));
        assert!(!may_hold("Cargo.toml", Path::new("src")));
    }

    fn stage_once(from: &Path, to: &Path) -> anyhow::Result<u64> {
        let patterns = ["Cargo.toml".to_owned(), "src/**/*.rs".to_owned()];
        copy(from, to, &listed_files(from, &patterns)?)
    }

    #[test]
    fn the_copy_follows_the_original() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir_all(from.path().join("src")).unwrap();
        fs::write(from.path().join("Cargo.toml"), "[package]").unwrap();
        fs::write(from.path().join("src/main.rs"), "fn main() {}").unwrap();
        fs::write(from.path().join("src/old.rs"), "").unwrap();
        fs::write(from.path().join("build.rs"), "fn main() { panic!() }").unwrap();
        let first = stage_once(from.path(), to.path()).unwrap();
        assert_eq!(stage_once(from.path(), to.path()).unwrap(), first);
        let before = fs::metadata(to.path().join("src/main.rs")).unwrap().modified().unwrap();

        fs::remove_file(from.path().join("src/old.rs")).unwrap();
        assert_ne!(stage_once(from.path(), to.path()).unwrap(), first);

        assert!(!to.path().join("src/old.rs").exists() && !to.path().join("build.rs").exists());
        assert_eq!(fs::metadata(to.path().join("src/main.rs")).unwrap().modified().unwrap(), before);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_refused() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir_all(from.path().join("src")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", from.path().join("src/main.rs")).unwrap();

        let error = stage_once(from.path(), to.path()).unwrap_err().to_string();
        assert_eq!(error, "src/main.rs is not a regular file");
    }
}
