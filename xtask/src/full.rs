//! Replaces a light build by the full one. A student's first `cargo xtask grade` does not build the
//! libraries of `watch` and of the reports `junit` and `pcapng`, which are behind the feature
//! `full`. When they are needed, the light build builds the full one and becomes it, with the same
//! arguments.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::report::ONLY_FULL;
use crate::repository;
use crate::request::GradeRequest;

/// The file name of a library that only the full build has.
const ITS_OWN: &str = "libetherparse-";

pub(crate) fn is_needed(request: &GradeRequest) -> bool {
    request.reports.iter().any(|report| ONLY_FULL.contains(&&*report.format))
}

/// Checks the request, before anything is built for it, and becomes the full build.
pub(crate) fn watch(request: &GradeRequest) -> anyhow::Result<u8> {
    repository::find()?.practical(&request.practical)?;
    run()
}

pub(crate) fn run() -> anyhow::Result<u8> {
    let is_built = is_built().unwrap_or(false);
    if !is_built {
        anstream::eprintln!("This needs more libraries: cargo builds them now, once.");
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(&cargo);
    command.args(["run", "--package", "xtask", "--features", "full"]);
    command.args(is_built.then_some("--quiet"));
    command.arg("--manifest-path").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    command.args((!cfg!(debug_assertions)).then_some("--release"));
    command.arg("--").args(std::env::args_os().skip(1));
    become_it(command)
        .with_context(|| format!("{} run --features full", Path::new(&cargo).display()))
}

fn is_built() -> Option<bool> {
    let executable = std::env::current_exe().ok()?;
    let mut files = std::fs::read_dir(executable.parent()?.join("deps")).ok()?;
    Some(
        files.any(|file| {
            file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with(ITS_OWN))
        }),
    )
}

#[cfg(unix)]
fn become_it(mut command: Command) -> anyhow::Result<u8> {
    use std::os::unix::process::CommandExt;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn become_it(mut command: Command) -> anyhow::Result<u8> {
    let status = command.status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(crate::exit::FAULT))
}
