//! Programs of the catalogue that are not crates: scripts, and sources that a compiler builds.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};
use suite::Subject;

use crate::build;

/// Returns the tool that a command needs: its first word, or the compiler of that file.
pub(super) fn tool(command: &str) -> &str {
    let first = command.split_whitespace().next().unwrap_or_default();
    compiler(first).unwrap_or(first)
}

fn compiler(word: &str) -> Option<&'static str> {
    (Path::new(word).extension() == Some(OsStr::new("c"))).then_some("cc")
}

/// Returns the program that a command starts. Files among its words are in `folder`, and what is
/// compiled goes to `out`.
pub(super) fn subject(
    name: &str,
    command: &str,
    folder: &Path,
    out: &Path,
) -> anyhow::Result<Subject> {
    let words =
        shell_words::split(command).with_context(|| format!("mistakes.toml: {command:?}"))?;
    let (first, arguments) = words.split_first().context("mistakes.toml: an empty command")?;
    let executable = match compiler(first) {
        Some(compiler) => compiled(compiler, &folder.join(first), out)?,
        None => build::find_executable(first, folder)
            .with_context(|| format!("mistakes.toml: there is no {first} here"))?,
    };
    let found = |word: &String| {
        let file = folder.join(word);
        if file.is_file() { file.to_string_lossy().into_owned() } else { word.clone() }
    };
    let arguments: Vec<String> = arguments.iter().map(found).collect();
    Ok(build::subject_of_command(name, &executable, &arguments))
}

/// Compiles a source, unless what it made before is newer than the source and the header
/// beside it.
fn compiled(compiler: &str, source: &Path, out: &Path) -> anyhow::Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let stem = source.file_stem().context("mistakes.toml: a source without a name")?;
    let executable = out.join(stem);
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let header = modified(&source.with_file_name("server.h"));
    if modified(&executable) > modified(source).max(header) {
        return Ok(executable);
    }
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    // Another verification may start the program: it never finds one that is half written.
    let written = out.join(format!("{}.{}", stem.to_string_lossy(), std::process::id()));
    let mut command = Command::new(compiler);
    command.args(["-O1", "-pthread", "-Wall", "-o"]).arg(&written).arg(source);
    let status = command.status().with_context(|| compiler.to_owned())?;
    if !status.success() {
        bail!("mistakes.toml: {compiler} cannot compile {}", source.display());
    }
    std::fs::rename(&written, &executable).with_context(|| executable.display().to_string())?;
    Ok(executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_needs_its_compiler_and_a_script_its_interpreter() {
        assert_eq!(tool("other_languages/echo_server.c {host} {port}"), "cc");
        assert_eq!(tool("node other_languages/echo_server.js {host} {port}"), "node");
    }
}
