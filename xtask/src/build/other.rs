//! Programs in languages other than Rust, built and started by the commands of their language's
//! row.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use anyhow::bail;
use suite::{CommandLine, Fault, Reach, Subject};

use super::stamp::Stamp;
use super::{BUILD_TIME, Built, find_executable, give_to_builder, not_built, target_of};
use crate::languages::Places;
use crate::sandbox::Sandbox;
use crate::submission::StagedProgram;
use crate::toolchain;
use crate::unbuilt::Reason;

/// The bytes of a compiler's output that are kept.
const MOST_SAID: usize = 16 * 1024;

pub(super) fn build(program: &StagedProgram, sandbox: &Sandbox) -> anyhow::Result<Built> {
    let staged = &program.staged;
    let out = target_of(staged, &program.language.name, sandbox)?;
    let tool = find_tool(program, &program.language.tool)?;
    let text = |path: &Path| path.display().to_string();
    let places = Places {
        name: staged.name.clone(),
        tool: text(&tool),
        main: text(&program.main),
        folder: text(&staged.folder),
        out: text(&out),
    };
    let stamp = Stamp::of(staged, &out)?;
    if !program.language.build.is_empty() && stamp.executable().is_none() {
        start_afresh(program, &out, sandbox)?;
        let command = places.fill(&program.language.build);
        if let Some(errors) = run(program, &command, &out, sandbox)? {
            return Ok(errors);
        }
        stamp.write(&tool)?;
    }
    let words = places.fill(&program.language.start);
    let reach = reach_of(&words, &tool, &staged.folder, &out);
    let subject =
        Subject::new(&staged.name, CommandLine::new(words), staged.address, None).with_reach(reach);
    Ok(Built::Program(Arc::new(subject)))
}

/// Empties the build folder. A language that builds beside its sources gets a copy of them there.
fn start_afresh(program: &StagedProgram, out: &Path, sandbox: &Sandbox) -> anyhow::Result<()> {
    std::fs::remove_dir_all(out)?;
    std::fs::create_dir(out)?;
    if program.language.beside_sources {
        copy_folder(&program.staged.folder, out, sandbox)?;
    }
    give_to_builder(out, sandbox)
}

fn copy_folder(from: &Path, to: &Path, sandbox: &Sandbox) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (place, copy) = (entry.path(), to.join(entry.file_name()));
        if place.is_dir() {
            std::fs::create_dir(&copy)?;
            copy_folder(&place, &copy, sandbox)?;
            give_to_builder(&copy, sandbox)?;
        } else {
            std::fs::copy(&place, &copy)?;
        }
    }
    Ok(())
}

/// Finds a tool; a missing one is a fault, because a language that is not installed must cost no
/// point.
fn find_tool(program: &StagedProgram, tool: &str) -> anyhow::Result<std::path::PathBuf> {
    match find_executable(tool, Path::new("/")) {
        Some(path) => Ok(toolchain::behind_shims(&path)),
        None => bail!(Fault(format!(
            "{} is written in {}, and there is no {tool} on this machine: install it",
            program.staged.name, program.language.name
        ))),
    }
}

/// Runs the compiler and returns its messages if it failed.
fn run(
    program: &StagedProgram,
    command: &[String],
    out: &Path,
    sandbox: &Sandbox,
) -> anyhow::Result<Option<Built>> {
    let staged = &program.staged;
    let [first, arguments @ ..] = command else { return Ok(None) };
    let tool = find_tool(program, first)?;
    let words: Vec<OsString> =
        std::iter::once(tool.clone().into()).chain(arguments.iter().map(Into::into)).collect();
    let write = vec![out.to_owned()];
    let mut read = vec![staged.folder.clone(), tool.clone()];
    read.extend(toolchain::home_of(&tool));
    let environment =
        vec![("GOCACHE".into(), out.join("cache").into()), ("GO111MODULE".into(), "off".into())];
    let reach = Reach { read, write, execute: None, environment, limits: sandbox.build_limits };
    let finished = sandbox.commands().run(&words, &reach, BUILD_TIME)?;
    if let Some(limit) = finished.over {
        return Ok(Some(not_built(staged, Reason::OverLimit(limit))));
    }
    if finished.status.is_some_and(|status| status.success()) {
        return Ok(None);
    }
    let said = [finished.stderr, finished.stdout].concat();
    let said = String::from_utf8_lossy(&said[..said.len().min(MOST_SAID)]).into_owned();
    Ok(Some(not_built(staged, Reason::DoesNotCompile(vec![said]))))
}

/// Returns what a program may read and execute: its own files, and its interpreter.
fn reach_of(words: &[String], tool: &Path, folder: &Path, out: &Path) -> Reach {
    let runs_the_tool = words.first().is_some_and(|first| Path::new(first) == tool);
    let mut read = vec![folder.to_owned(), out.to_owned()];
    let mut execute: Vec<_> = words.first().map(Into::into).into_iter().collect();
    if runs_the_tool {
        read.push(tool.to_owned());
        let home = toolchain::home_of(tool);
        execute.extend(home.iter().map(|home| home.join("bin")));
        read.extend(home);
        execute.extend(std::fs::canonicalize(tool).ok());
    }
    Reach { read, execute: Some(execute), ..Reach::default() }
}
