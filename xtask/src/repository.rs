//! Finds the practicals, and the folder in which the harness keeps what it builds.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::nearest::nearest;

/// A checkout of the course.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    root: PathBuf,
}

/// Returns the repository that contains the current folder, or else the one that this command was
/// built in.
pub(crate) fn find() -> anyhow::Result<Repository> {
    let here = std::env::current_dir().context("the current folder cannot be read")?;
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    here.ancestors()
        .chain(built_in)
        .find(|folder| folder.join("practicals").is_dir())
        .map(|root| Repository { root: root.to_owned() })
        .with_context(|| {
            format!(
                "no folder `practicals` in {} or above it: run this inside the course's repository",
                here.display()
            )
        })
}

impl std::fmt::Display for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.root.display().fmt(f)
    }
}

impl Repository {
    /// Returns the repository's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder of a practical that the suite knows.
    pub(crate) fn practical(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.root.join("practicals").join(name);
        if suite::practical(name).is_none() {
            bail!(no_practical(name));
        }
        if !folder.is_dir() {
            bail!("the practical {name:?} has no folder {}", folder.display());
        }
        Ok(folder)
    }

    /// Returns a path relative to the repository.
    pub(crate) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// Says that there is no such practical, and what was probably meant.
fn no_practical(name: &str) -> String {
    let all = suite::PRACTICALS.iter();
    let known: Vec<&str> = all.clone().map(|practical| practical.name).collect();
    let programs = all.flat_map(|practical| practical.programs.iter().copied());
    match nearest(name, &known.iter().copied().chain(programs).collect::<Vec<_>>()) {
        Some(meant) => format!("there is no practical {name:?}; did you mean {meant}?"),
        None => format!(
            "there is no practical {name:?}: there is {} (cargo xtask list)",
            known.join(", ")
        ),
    }
}

/// Returns this executable, even if a build has replaced its file.
pub(crate) fn this_executable() -> anyhow::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe().context("cannot find the grader's own executable")
}

/// Returns the folder in which the harness keeps what it builds, beside its own build.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let executable = std::env::current_exe().context("cannot find the grader's own executable")?;
    let target = executable
        .parent()
        .and_then(Path::parent)
        .context("the grader's executable is not in a target folder")?;
    Ok(target.join("practicals"))
}
