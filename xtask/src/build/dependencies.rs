//! Downloads what a lock file names, before the build, which has no network.
//!
//! `cargo vendor` runs outside the sandbox with the machine's own settings: a mirror, a proxy,
//! vendored sources, credentials. The build sees only the copies that it makes. So whatever can be
//! downloaded can be built, and no setting and no secret of the machine reaches a submission.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use suite::Fault;

use crate::keyed::Keyed;
use crate::submission::StagedCrate;
use crate::{files, repository, toolchain};

/// The copies of a program's dependencies.
pub(super) struct Vendored {
    /// Their folder.
    pub(super) folder: PathBuf,
    /// The settings that make cargo use them.
    pub(super) settings: PathBuf,
}

/// Copies the dependencies of a crate, which is in `crate_folder`. Returns `None` if it has none.
pub(super) fn vendor(
    staged: &StagedCrate,
    crate_folder: &Path,
    cargo: &Path,
) -> anyhow::Result<Option<Vendored>> {
    if !staged.downloads {
        return Ok(None);
    }
    let all = repository::target()?.join("vendored");
    // Two manifests may take different packages from the same lock file. The settings name this
    // place, so they do not hold after the course's folder has been moved.
    let hash = |name: &str| {
        let content = fs::read(crate_folder.join(name)).unwrap_or_default();
        Keyed::default().field(all.as_os_str().as_encoded_bytes()).field(&content).finish()
    };
    let folder = all.join(format!("{:016x}-{:016x}", hash("Cargo.lock"), hash("Cargo.toml")));
    let settings = folder.join("settings.toml");
    fs::create_dir_all(&all)?;
    // Another grading may be copying the same ones. The lock ends with this function.
    let only_one = fs::File::create(folder.with_extension("lock"))?;
    only_one.lock()?;
    if !settings.is_file() {
        _ = fs::remove_dir_all(&folder); // an earlier copying was cut short
        let said = run_cargo_vendor(staged, crate_folder, cargo, &folder.join("crates"))?;
        // Half of it would look like all of it to the next grading.
        files::write(&settings, &said)?;
    }
    Ok(Some(Vendored { folder, settings }))
}

/// Copies the dependencies to `to`; returns the settings that `cargo vendor` prints. The lock file is
/// the course's, and cargo takes from it what the program needs.
fn run_cargo_vendor(
    staged: &StagedCrate,
    crate_folder: &Path,
    cargo: &Path,
    to: &Path,
) -> anyhow::Result<Vec<u8>> {
    let mut command = Command::new(cargo);
    command.args(["vendor", "--respect-source-config", "--manifest-path"]);
    command.arg(crate_folder.join("Cargo.toml"));
    command.args(sources_in_environment(std::env::vars())).arg(to);
    let here = repository::find()?; // cargo reads the settings of the course, too
    let command = toolchain::without_build_settings(&mut command);
    let output = command.current_dir(here.root()).stdin(Stdio::null()).output();
    let output = output.context("cargo vendor")?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let why = causes(&said).replace(&crate_folder.display().to_string(), &staged.origin);
    bail!(Fault(format!(
        "the dependencies of {} cannot be downloaded: {why}; connect this machine to the network, \
         or name a mirror in cargo's settings",
        staged.name
    )))
}

/// Returns the last two causes of an error of cargo's, which are the most exact ones.
fn causes(said: &str) -> String {
    let mut causes: Vec<&str> = said.split("Caused by:").collect();
    let last = causes.split_off(causes.len().saturating_sub(2));
    let first_lines = last.iter().filter_map(|cause| cause.trim().lines().next());
    first_lines.collect::<Vec<_>>().join(": ")
}

/// The keys of a source in cargo's settings, as variables name them.
const KEYS: [(&str, &str); 5] = [
    ("_REPLACE_WITH", "replace-with"),
    ("_LOCAL_REGISTRY", "local-registry"),
    ("_REGISTRY", "registry"),
    ("_DIRECTORY", "directory"),
    ("_GIT", "git"),
];

/// Returns options for the sources that variables like CARGO_SOURCE_CRATES_IO_REPLACE_WITH name:
/// cargo itself reads only those that a file of settings mentions, too.
fn sources_in_environment(variables: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let found: Vec<(String, &str, String)> = variables
        .filter_map(|(name, value)| {
            let name = name.strip_prefix("CARGO_SOURCE_")?;
            let (ending, key) = KEYS.iter().find(|(ending, _)| name.ends_with(ending))?;
            Some((name.strip_suffix(ending)?.to_owned(), *key, value))
        })
        .collect();
    let replacements = || found.iter().filter(|(_, key, _)| *key == "replace-with");
    let spelled = |name: &str| {
        let same = |value: &&String| value.to_uppercase().replace('-', "_") == name;
        let named = replacements().map(|(_, _, value)| value).find(same);
        named.cloned().unwrap_or_else(|| name.to_lowercase().replace('_', "-"))
    };
    let option = |(name, key, value): &(String, &str, String)| {
        let value = serde_json::Value::from(value.as_str()); // its quotes are TOML's, too
        ["--config".to_owned(), format!("source.{}.{key}={value}", spelled(name))]
    };
    found.iter().flat_map(option).collect()
}

#[cfg(test)]
mod tests {
    use super::{causes, sources_in_environment};

    #[track_caller]
    fn check(variables: &[(&str, &str)], options: &[&str]) {
        let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let found = sources_in_environment(variables);
        let found: Vec<&str> =
            found.iter().filter(|it| *it != "--config").map(|it| &**it).collect();
        assert_eq!(found, options);
    }

    #[test]
    fn sources_in_the_environment_are_options_of_cargo() {
        let replaced = ("CARGO_SOURCE_CRATES_IO_REPLACE_WITH", "our_mirror");
        let option = "source.crates-io.replace-with=\"our_mirror\"";
        check(&[replaced], &[option]);
        let mirror = ("CARGO_SOURCE_OUR_MIRROR_REGISTRY", "sparse+https://mirror/");
        let index = "source.our_mirror.registry=\"sparse+https://mirror/\"";
        check(&[replaced, mirror], &[option, index]);
        let folder = ("CARGO_SOURCE_OUR_MIRROR_LOCAL_REGISTRY", "/a \"b\"");
        check(&[folder], &["source.our-mirror.local-registry=\"/a \\\"b\\\"\""]);
    }

    #[test]
    fn the_last_causes_are_said() {
        let said = "error: failed to sync\n\nCaused by:\n  failed to get `mio`\n\nCaused by:\n  \
            failed to download\n\nCaused by:\n  no network\n  help: none\n";
        assert_eq!(causes(said), "failed to download: no network");
        assert_eq!(
            causes("error: no such command: `vendor`\n"),
            "error: no such command: `vendor`"
        );
    }

    #[test]
    fn other_variables_are_not() {
        check(&[("CARGO_SOURCE_X_TOKEN", "secret"), ("CARGO_HOME", "/root/.cargo")], &[]);
    }
}
