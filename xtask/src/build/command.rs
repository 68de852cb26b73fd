//! Programs that are a command line and need no build.

mod reach;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use suite::{CommandLine, Fault, Reach, Subject, Tier};

use crate::request::ProgramCommand;
use crate::toolchain;

/// Returns the program of a `--program` option, which runs in the current folder.
pub(super) fn subject(given: &ProgramCommand, tier: Tier) -> anyhow::Result<Subject> {
    let here = std::env::current_dir().context("the current folder cannot be read")?;
    let (executable, arguments) = given.words.split_first().context("an empty command")?;
    let path = find_executable(executable, &here).with_context(|| {
        format!("--program {}: there is no executable {executable:?} here or on PATH", given.name)
    })?;
    let path = toolchain::behind_shims(&path);
    let (command, reach) = command_line(&path, arguments, &here);
    let unreadable = reach::unreadable(&path, arguments, &here, &reach);
    if let Some(unreadable) = unreadable.filter(|_| tier != Tier::Plain) {
        bail!(Fault(format!(
            "--program {}: it needs {}, which cannot be read inside the confinement: a home, the temporary folder and the course's own folders are not shared; move the program into a folder of its own",
            given.name,
            unreadable.display()
        )));
    }
    let folder = Some(here).filter(|here| here.parent().is_some()); // the top cannot be replaced
    Ok(Subject::new(&given.name, command, given.address, folder).with_reach(reach))
}

/// Returns the program that a command line starts, like an interpreter and a file. Each launch gets
/// an empty folder.
pub(crate) fn subject_of_command(name: &str, executable: &Path, arguments: &[String]) -> Subject {
    let (command, reach) = command_line(executable, arguments, Path::new("/"));
    Subject::new(name, command, None, None).with_reach(reach)
}

fn command_line(executable: &Path, arguments: &[String], here: &Path) -> (CommandLine, Reach) {
    let executable = toolchain::behind_shims(executable);
    let reach = reach::reach_of(&executable, arguments, here);
    let words =
        std::iter::once(executable.into_os_string()).chain(arguments.iter().map(Into::into));
    (CommandLine::new(words), reach)
}

/// Finds an executable before any check runs, so that a typing mistake is one clear line.
pub(crate) fn find_executable(name: &str, here: &Path) -> Option<PathBuf> {
    if name.contains(std::path::MAIN_SEPARATOR) || name.contains('/') {
        return Some(here.join(name)).filter(|path| is_executable(path));
    }
    let path = std::env::var_os("PATH")?;
    let ending = std::env::consts::EXE_SUFFIX;
    std::env::split_paths(&path)
        .flat_map(|folder| [folder.join(name), folder.join(format!("{name}{ending}"))])
        .find(|candidate| is_executable(candidate))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path)
        .is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
