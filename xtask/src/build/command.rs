//! Programs that are a command line and need no build.

use std::path::{Path, PathBuf};

use anyhow::Context;
use suite::{CommandLine, Reach, Subject};

use crate::request::ProgramCommand;
use crate::{repository, toolchain};

/// Returns the program of a `--program` option, which runs in the current folder.
pub(super) fn subject(given: &ProgramCommand) -> anyhow::Result<Subject> {
    let here = std::env::current_dir().context("the current folder cannot be read")?;
    let (executable, arguments) = given.words.split_first().context("an empty command")?;
    let path = find_executable(executable, &here).with_context(|| {
        format!("--program {}: there is no executable {executable:?} here or on PATH", given.name)
    })?;
    let (command, reach) = command_line(&path, arguments, &here);
    Ok(Subject::new(&given.name, command, given.address, Some(here)).with_reach(reach))
}

/// Returns the program that a command line starts, like an interpreter and a file. Each launch gets
/// an empty folder.
pub(crate) fn subject_of_command(name: &str, executable: &Path, arguments: &[String]) -> Subject {
    let (command, reach) = command_line(executable, arguments, Path::new("/"));
    Subject::new(name, command, None, None).with_reach(reach)
}

fn command_line(executable: &Path, arguments: &[String], here: &Path) -> (CommandLine, Reach) {
    let executable = toolchain::behind_shims(executable);
    let reach = reach_of_a_command(&executable, arguments, here);
    let words =
        std::iter::once(executable.into_os_string()).chain(arguments.iter().map(Into::into));
    (CommandLine::new(words), reach)
}

/// Returns what a command line may read: its executable, and the files and folders among its words.
/// A file brings its folder along, because a program may have several files.
fn reach_of_a_command(executable: &Path, arguments: &[String], here: &Path) -> Reach {
    let mut reach = Reach::default();
    match toolchain::home_of(executable) {
        Some(home) => reach.read.push(home),
        None => reach.read.extend(std::fs::canonicalize(executable)),
    }
    reach.read.push(executable.to_owned());
    let named =
        arguments.iter().flat_map(|word| word.split(['=', ':'])).filter(|word| !word.is_empty());
    for place in named.map(|word| here.join(word)).filter(|place| place.exists()) {
        let Ok(place) = std::fs::canonicalize(place) else { continue };
        let beside = place.parent().filter(|folder| place.is_file() && !is_too_much(folder));
        reach.read.extend(
            Some(beside.unwrap_or(&place).to_owned())
                .filter(|place| place.is_file() || !is_too_much(place)),
        );
    }
    reach
}

/// Returns whether a folder holds too much to be shared: a home, the repository or the temporary
/// folder.
fn is_too_much(folder: &Path) -> bool {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let repository = repository::find().map(|repository| repository.root().to_owned()).ok();
    let above = |place: Option<PathBuf>| place.is_some_and(|place| place.starts_with(folder));
    folder == std::env::temp_dir() || above(home) || above(repository)
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
