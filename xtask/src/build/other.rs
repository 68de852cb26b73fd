//! Programs in languages other than Rust, built and started by the commands of their language's
//! row.

use std::ffi::OsString;
use std::path::Path;
use std::slice::from_ref;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use suite::{CommandLine, Fault, Finished, Reach, Subject, remove_folder};

use super::parts::{self, Library};
use super::stamp::Stamp;
use super::{
    BUILD_TIME, Built, artefact, cannot_be_run, find_executable, name_in_store, not_built,
};
use crate::languages::Places;
use crate::sandbox::Sandbox;
use crate::submission::{StagedProgram, Store};
use crate::toolchain;
use crate::unbuilt::Reason;

/// The bytes of a compiler's output that are kept.
const MOST_SAID: usize = 16 * 1024;

/// Builds one program, unless the same sources were built before, and copies it to where it runs.
pub(super) fn build(program: &StagedProgram, sandbox: &Sandbox) -> anyhow::Result<Built> {
    let (staged, language) = (&program.staged, &program.language);
    let tool = find_tool(program, &language.tool)?;
    let places = Places { out: text(&staged.build.join("out")), ..places(program, &tool) };
    std::fs::create_dir_all(&staged.built)?;
    if !language.build.is_empty()
        && let Some(reason) = make(program, &places, sandbox)?
    {
        return Ok(not_built(staged, reason));
    }
    let places = Places { out: text(&staged.built), ..places };
    let words = places.fill(&language.start);
    let environment = language.environment.iter();
    let environment =
        environment.map(|(key, value)| (key.into(), places.fill(from_ref(value)).concat().into()));
    let reach = Reach {
        environment: environment.collect(),
        ..reach_of(&words, &tool, &staged.folder, &staged.built)
    };
    let subject =
        Subject::new(&staged.name, CommandLine::new(words), staged.address, staged.run_folder());
    Ok(Built::Program(Arc::new(subject.with_reach(reach))))
}

fn places(program: &StagedProgram, tool: &Path) -> Places {
    let staged = &program.staged;
    Places {
        name: staged.name.clone(),
        tool: text(tool),
        main: text(&program.main),
        folder: text(&staged.folder),
        ..Places::default()
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Fills the folder of what is run: from the store, or by a build. Returns why there is nothing to
/// run.
fn make(
    program: &StagedProgram,
    places: &Places,
    sandbox: &Sandbox,
) -> anyhow::Result<Option<Reason>> {
    let staged = &program.staged;
    let store = Store::enter(staged)?;
    let kept = store.folder(name_in_store(&program.language.name, sandbox));
    let stamp = Stamp::of(staged, kept.with_extension("built"))?;
    if let Some(kept) = stamp.built() {
        return Ok(artefact::copy_all(&kept, None, &staged.built)?.err().map(Reason::Refused));
    }
    let made = build_afresh(program, places, sandbox)?;
    remove_folder(&staged.build)?;
    if made.is_none() {
        _ = remove_folder(&kept);
        artefact::copy_all(&staged.built, None, &kept)?.map_err(anyhow::Error::msg)?;
        stamp.write(&kept)?;
    }
    Ok(made)
}

fn build_afresh(
    program: &StagedProgram,
    places: &Places,
    sandbox: &Sandbox,
) -> anyhow::Result<Option<Reason>> {
    let staged = &program.staged;
    let out = Path::new(&places.out);
    furnish(program, out)?;
    if let Some(reason) = compile(program, places, sandbox)? {
        return Ok(Some(reason));
    }
    let first = places.fill(&program.language.start).into_iter().next().unwrap_or_default();
    let made = Path::new(&first).strip_prefix(out).ok();
    let copied = artefact::copy_all(out, made, &staged.built)?;
    Ok(copied.err().map(|why| cannot_be_run(staged, &why)))
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
    let finished = Run { program, command: &command, begin: Instant::now() }.finish(sandbox)?;
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

/// Makes the build folder. A language that builds beside its sources gets a copy of them there.
fn furnish(program: &StagedProgram, out: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(out)?;
    match program.language.beside_sources {
        true => copy_folder(&program.staged.folder, out),
        false => Ok(()),
    }
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (place, copy) = (entry.path(), to.join(entry.file_name()));
        if place.is_dir() {
            std::fs::create_dir(&copy)?;
            copy_folder(&place, &copy)?;
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
    /// When the build began, of which the run is a part.
    pub(super) begin: Instant,
}

impl Run<'_> {
    pub(super) fn finish(&self, sandbox: &Sandbox) -> anyhow::Result<Finished> {
        let (first, arguments) = self.command.split_first().context("an empty command")?;
        let tool = find_tool(self.program, first)?;
        let words: Vec<OsString> =
            std::iter::once(tool.clone().into()).chain(arguments.iter().map(Into::into)).collect();
        let write = vec![self.program.staged.build.clone()];
        let mut read = vec![self.program.staged.folder.clone(), tool.clone()];
        read.extend(toolchain::home_of(&tool));
        let cache = self.program.staged.build.join("cache").into();
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
