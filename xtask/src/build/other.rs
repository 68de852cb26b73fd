//! Programs in languages other than Rust, built and started by the commands of their language's
//! row.

use std::ffi::OsString;
use std::path::Path;
use std::slice::from_ref;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use suite::{CommandLine, Fault, Finished, Reach, Subject};

use super::parts::{self, Library};
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
    let (staged, language) = (&program.staged, &program.language);
    let out = target_of(staged, &language.name, sandbox)?;
    let tool = find_tool(program, &language.tool)?;
    let text = |path: &Path| path.display().to_string();
    let places = Places {
        name: staged.name.clone(),
        tool: text(&tool),
        main: text(&program.main),
        folder: text(&staged.folder),
        out: text(&out),
        ..Places::default()
    };
    let stamp = Stamp::of(staged, &out)?;
    if !language.build.is_empty() && stamp.executable().is_none() {
        start_afresh(program, &out, sandbox)?;
        if let Some(reason) = compile(program, &places, sandbox)? {
            return Ok(not_built(staged, reason));
        }
        stamp.write(&tool)?;
    }
    let words = places.fill(&language.start);
    let environment = language.environment.iter();
    let environment =
        environment.map(|(key, value)| (key.into(), places.fill(from_ref(value)).concat().into()));
    let reach = Reach {
        environment: environment.collect(),
        ..reach_of(&words, &tool, &staged.folder, &out)
    };
    let subject =
        Subject::new(&staged.name, CommandLine::new(words), staged.address, staged.run_folder());
    Ok(Built::Program(Arc::new(subject.with_reach(reach))))
}

/// Compiles the main file, and its other sources where it does not build alone.
fn compile(
    program: &StagedProgram,
    places: &Places,
    sandbox: &Sandbox,
) -> anyhow::Result<Option<Reason>> {
    let alone = compile_with(program, places, &Library::default(), sandbox)?;
    if !matches!(alone, Some(Reason::DoesNotCompile(_))) || program.language.part.is_empty() {
        return Ok(alone);
    }
    let library = parts::pack(program, places, sandbox)?;
    match library.file.is_empty() && library.errors.is_empty() {
        true => Ok(alone),
        false => compile_with(program, places, &library, sandbox),
    }
}

fn compile_with(
    program: &StagedProgram,
    places: &Places,
    library: &Library,
    sandbox: &Sandbox,
) -> anyhow::Result<Option<Reason>> {
    let places = Places { library: library.file.clone(), ..places.clone() };
    let command = places.fill(&program.language.build);
    let (out, begin) = (Path::new(&places.out), Instant::now());
    let finished = Run { program, command: &command, out, begin }.finish(sandbox)?;
    if let Some(limit) = finished.over {
        return Ok(Some(Reason::OverLimit(limit)));
    }
    if finished.status.is_some_and(|status| status.success()) {
        return Ok(None);
    }
    let errors = [said(&finished), library.errors.clone()];
    let errors = errors.into_iter().filter(|said| !said.is_empty()).collect();
    Ok(Some(Reason::DoesNotCompile(errors)))
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

/// One run of a compiler.
pub(super) struct Run<'a> {
    pub(super) program: &'a StagedProgram,
    pub(super) command: &'a [String],
    pub(super) out: &'a Path,
    /// When the build began, of which the run is a part.
    pub(super) begin: Instant,
}

impl Run<'_> {
    pub(super) fn finish(&self, sandbox: &Sandbox) -> anyhow::Result<Finished> {
        let (first, arguments) = self.command.split_first().context("an empty command")?;
        let tool = find_tool(self.program, first)?;
        let words: Vec<OsString> =
            std::iter::once(tool.clone().into()).chain(arguments.iter().map(Into::into)).collect();
        let write = vec![self.out.to_owned()];
        let mut read = vec![self.program.staged.folder.clone(), tool.clone()];
        read.extend(toolchain::home_of(&tool));
        let cache = self.out.join("cache").into();
        let environment = vec![("GOCACHE".into(), cache), ("GO111MODULE".into(), "off".into())];
        let reach = Reach { read, write, execute: None, environment, limits: sandbox.build_limits };
        let time = BUILD_TIME.saturating_sub(self.begin.elapsed());
        Ok(sandbox.commands().run(&words, &reach, time)?)
    }
}

/// Returns what a compiler said.
pub(super) fn said(finished: &Finished) -> String {
    let said = [&*finished.stderr, &*finished.stdout].concat();
    String::from_utf8_lossy(&said[..said.len().min(MOST_SAID)]).into_owned()
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
