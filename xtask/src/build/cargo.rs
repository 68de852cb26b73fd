//! Programs in Rust, built by cargo.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use suite::{Finished, Reach, remove_folder};

use super::messages::Messages;
use super::stamp::Stamp;
use super::{
    BUILD_TIME, Built, artefact, cannot_be_run, dependencies, name_in_store, not_built, subject_at,
};
use crate::sandbox::Sandbox;
use crate::submission::{Refused, StagedCrate, Store};
use crate::toolchain;
use crate::unbuilt::Reason;

/// Builds one program, unless the same sources were built before, and copies it to where it runs.
pub(super) fn build(staged: &StagedCrate, sandbox: &Sandbox) -> anyhow::Result<Built> {
    let store = Store::enter(staged)?;
    let target = store.folder(name_in_store("Rust", sandbox));
    let stamp = Stamp::of(staged, target.with_extension("built"))?;
    if let Some(executable) = stamp.built() {
        return built(staged, &executable);
    }
    let folder = store.sources(staged)?;
    std::fs::create_dir_all(&target)?;
    let finished = Building { staged, folder, target: &target }.run_cargo_confined(sandbox)?;
    let messages = Messages::read(&finished.stdout);
    if let Some(limit) = finished.over {
        _ = remove_folder(&target); // what was cut short is nobody's
        return Ok(not_built(staged, Reason::OverLimit(limit)));
    }
    if finished.status.is_some_and(|status| status.success()) {
        let executable = messages.executable(&staged.name);
        let executable =
            executable.filter(|path| path.starts_with(&target)).with_context(|| {
                format!("{} builds no program: cargo made no executable from it", staged.origin)
            })?;
        stamp.write(executable)?;
        return built(staged, executable);
    }
    let mut errors = messages.errors;
    if errors.is_empty() {
        errors.push(String::from_utf8_lossy(&finished.stderr).trim().to_owned());
    }
    Ok(not_built(staged, reason(staged, errors)))
}

/// Returns why a crate does not compile: for want of a dependency that does not count, if an error
/// names one.
fn reason(staged: &StagedCrate, errors: Vec<String>) -> Reason {
    let names_it = |refused: &&Refused| {
        let name = refused.name.replace('-', "_");
        errors.iter().any(|error| error.contains(&*name) || error.contains(&*refused.name))
    };
    let missing = staged.refused.iter().filter(names_it);
    let missing: Vec<String> = missing.map(|refused| refused.says.clone()).collect();
    if missing.is_empty() {
        return Reason::DoesNotCompile(errors);
    }
    Reason::MissesDependency([missing, errors].concat())
}

/// One run of cargo.
struct Building<'a> {
    staged: &'a StagedCrate,
    /// The crate.
    folder: PathBuf,
    target: &'a Path,
}

impl Building<'_> {
    /// Runs cargo itself, not rustup's proxy, with no settings but the submission's own.
    fn run_cargo_confined(&self, sandbox: &Sandbox) -> anyhow::Result<Finished> {
        let sysroot = toolchain::rust()?;
        let cargo = sysroot.join("bin/cargo");
        let vendored = dependencies::vendor(self.staged, &self.folder, &cargo)?;
        let mut command: Vec<OsString> = vec![cargo.into(), "build".into(), "--offline".into()];
        command.extend(
            ["--message-format=json-diagnostic-rendered-ansi", "--manifest-path"]
                .map(OsString::from),
        );
        command.push(self.folder.join("Cargo.toml").into());
        command.extend(["--target-dir".into(), self.target.into()]);
        // Cargo writes a lock file beside the crate where it finds none.
        let write = vec![self.target.to_owned(), self.folder.clone()];
        let mut read = vec![sysroot.clone()];
        read.extend(self.staged.library_folders());
        if let Some(vendored) = vendored {
            command.extend(["--config".into(), vendored.settings.into()]);
            read.push(vendored.folder);
        }
        let environment = vec![
            ("PATH".into(), path_with(&sysroot.join("bin"))),
            ("RUSTC".into(), sysroot.join("bin/rustc").into()),
            ("CARGO_TERM_COLOR".into(), "never".into()),
        ];
        let limits = sandbox.build_limits;
        let reach = Reach { read, write, execute: None, environment, limits };
        Ok(sandbox.commands().run(&command, &reach, BUILD_TIME)?)
    }
}

fn path_with(folder: &Path) -> OsString {
    let mut path = folder.as_os_str().to_owned();
    path.push(":/usr/local/bin:/usr/bin:/bin");
    path
}

/// Copies an executable to where it runs.
fn built(staged: &StagedCrate, executable: &Path) -> anyhow::Result<Built> {
    let own = staged.built.join(executable.file_name().unwrap_or_default());
    if let Err(why) = artefact::copy_program(executable, &own)? {
        return Ok(not_built(staged, cannot_be_run(staged, &why)));
    }
    let subject = subject_at(&staged.name, &own, staged.address, staged.run_folder());
    Ok(Built::Program(Arc::new(subject)))
}

/// Builds every program of a crate and returns the executables by name.
pub(crate) fn all_programs_of(
    folder: &Path,
    target: &Path,
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let output = run_cargo(folder, target)?;
    if !output.status.success() {
        let said = Messages::read(&output.stdout).errors.concat()
            + &String::from_utf8_lossy(&output.stderr);
        bail!("{} does not build:\n{said}", folder.display());
    }
    Ok(Messages::read(&output.stdout).executables)
}

fn run_cargo(folder: &Path, target: &Path) -> anyhow::Result<Output> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    toolchain::without_build_settings(&mut Command::new(cargo))
        .args(["build", "--message-format=json-diagnostic-rendered-ansi", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => anyhow!(toolchain::NO_CARGO),
            _ => anyhow!("cargo cannot be started: {error}"),
        })
}
