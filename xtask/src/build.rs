//! From sources to programs, by cargo or by what the language's row says, under the confinement
//! that programs run in. What the compiler says about a student's program is kept word for word.

mod other;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;
use suite::{CommandLine, Finished, Fnv, Reach, Subject};

use crate::parallel;
use crate::repository;
use crate::request::ProgramCommand;
use crate::sandbox::Sandbox;
use crate::submission::{Source, Sources, StagedCrate};
use crate::terminal::Progress;
use crate::toolchain;
use crate::unbuilt::{Reason, Unbuilt};

/// What came of building.
#[derive(Debug)]
pub(crate) struct Programs {
    /// Ready to be run.
    pub(crate) subjects: Vec<Arc<Subject>>,
    pub(crate) unbuilt: Vec<Unbuilt>,
}

enum Built {
    Program(Arc<Subject>),
    Not(Unbuilt),
}

/// Builds all programs side by side.
pub(crate) fn programs(
    sources: &Sources,
    sandbox: &Sandbox,
    progress: &Progress,
) -> anyhow::Result<Programs> {
    let crates: Vec<&str> = sources.programs.iter().filter_map(name_of_built).collect();
    progress.building(&crates);
    let mut programs = Programs { subjects: Vec::new(), unbuilt: Vec::new() };
    let (all, work) = (&sources.programs, |source: &Source| build(source, sandbox));
    parallel::in_order(all, all.len(), work, |_, built| {
        match built {
            Built::Program(subject) => programs.subjects.push(subject),
            Built::Not(unbuilt) => programs.unbuilt.push(unbuilt),
        }
        Ok(())
    })?;
    Ok(programs)
}

fn name_of_built(source: &Source) -> Option<&str> {
    match source {
        Source::Crate(staged) => Some(&staged.name),
        Source::Other(program) => Some(&program.staged.name)
            .filter(|_| !program.language.build.is_empty())
            .map(|name| &**name),
        Source::Command(_) | Source::Ready(_) | Source::Unusable(_) => None,
    }
}

fn build(source: &Source, sandbox: &Sandbox) -> anyhow::Result<Built> {
    match source {
        Source::Command(given) => Ok(Built::Program(Arc::new(as_it_is(given)?))),
        Source::Crate(staged) => build_crate(staged, sandbox),
        Source::Other(program) => other::build(program, sandbox),
        Source::Ready(ready) => Ok(Built::Program(ready.subject.clone())),
        Source::Unusable(unbuilt) => Ok(Built::Not(unbuilt.clone())),
    }
}

/// A command line of the user's runs in the user's folder.
fn as_it_is(given: &ProgramCommand) -> anyhow::Result<Subject> {
    let here = std::env::current_dir().context("the current folder cannot be read")?;
    let (executable, arguments) = given.words.split_first().context("an empty command")?;
    let path = find_executable(executable, &here).with_context(|| {
        format!("--program {}: there is no executable {executable:?} here or on PATH", given.name)
    })?;
    let (command, reach) = command_line(&path, arguments, &here);
    Ok(Subject::new(&given.name, command, given.address, Some(here)).with_reach(reach))
}

/// A program that is started by a command line, an interpreter and a file, say; each launch gets an
/// empty folder.
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

/// What a command line names it may read: its executable, and the files and folders among its
/// words, each file with what lies beside it, as programs in several files need. Nothing else of
/// the user's.
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

/// Folders that hold everything of a person, or of the machine.
fn is_too_much(folder: &Path) -> bool {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let repository = crate::repository::find().map(|repository| repository.root().to_owned()).ok();
    let above = |place: Option<PathBuf>| place.is_some_and(|place| place.starts_with(folder));
    folder == std::env::temp_dir() || above(home) || above(repository)
}

/// Found before any check runs, so that a typing mistake is one clear line.
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

fn build_crate(staged: &StagedCrate, sandbox: &Sandbox) -> anyhow::Result<Built> {
    let target = target_of(staged, "Rust", sandbox)?;
    let stamp = Stamp::of(staged, &target)?;
    if let Some(executable) = stamp.executable() {
        return Ok(built(staged, &executable));
    }
    let finished = run_cargo_confined(staged, &target, sandbox)?;
    let messages = Messages::read(&finished.stdout);
    if let Some(limit) = finished.over {
        _ = std::fs::remove_dir_all(&target); // what was cut short is nobody's
        return Ok(not_built(staged, Reason::OverLimit(limit)));
    }
    if finished.status.is_some_and(|status| status.success()) {
        let executable = messages
            .executable(&staged.name)
            .filter(|path| {
                path.starts_with(&target)
                    && path.symlink_metadata().is_ok_and(|facts| facts.is_file())
            })
            .with_context(|| {
                format!("{} builds no program: cargo made no executable of it", staged.origin)
            })?;
        stamp.write(executable)?;
        return Ok(built(staged, executable));
    }
    let mut errors = messages.errors;
    if errors.is_empty() {
        errors.push(String::from_utf8_lossy(&finished.stderr).trim().to_owned());
    }
    Ok(not_built(staged, Reason::DoesNotCompile(errors)))
}

fn not_built(staged: &StagedCrate, reason: Reason) -> Built {
    let (program, origin) = (staged.name.clone(), staged.origin.clone());
    Built::Not(Unbuilt { program, origin, reason })
}

/// How long a build may take by the clock, on a machine that has other things to do.
const BUILD_TIME: Duration = Duration::from_secs(300);

/// Where it is built: a folder for each tier and each language, since a makefile can leave there
/// what it likes.
fn target_of(staged: &StagedCrate, language: &str, sandbox: &Sandbox) -> anyhow::Result<PathBuf> {
    let tier = format!("{:?}", sandbox.confinement.tier()).to_lowercase();
    let target = staged.target.join(tier).join(language).join(&staged.name);
    std::fs::create_dir_all(&target)?;
    give_to_builder(&target, sandbox)?;
    Ok(target)
}

/// A copy of the harness's, and what is directly in it, belongs to whoever builds in it.
fn give_to_builder(folder: &Path, sandbox: &Sandbox) -> anyhow::Result<()> {
    #[cfg(unix)]
    if let Some(owner) = sandbox.confinement.builder() {
        std::os::unix::fs::chown(folder, Some(owner), Some(owner))?;
        for entry in std::fs::read_dir(folder)? {
            std::os::unix::fs::lchown(entry?.path(), Some(owner), Some(owner))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (folder, sandbox);
    Ok(())
}

/// Cargo itself, not rustup's stand-in for it, in a folder where nobody's settings lie.
fn run_cargo_confined(
    staged: &StagedCrate,
    target: &Path,
    sandbox: &Sandbox,
) -> anyhow::Result<Finished> {
    let sysroot = toolchain::rust()?;
    let cargo_home = toolchain::cargo_home();
    fetch(staged, &sysroot)?;
    let mut command: Vec<OsString> =
        vec![sysroot.join("bin/cargo").into(), "build".into(), "--offline".into()];
    command.extend(
        ["--message-format=json-diagnostic-rendered-ansi", "--manifest-path"].map(OsString::from),
    );
    command.extend([staged.folder.join("Cargo.toml").into(), "--target-dir".into(), target.into()]);
    give_to_builder(&staged.folder, sandbox)?; // cargo writes a lock file there where it finds none
    let write = vec![target.to_owned(), staged.folder.clone()];
    let mut read = vec![sysroot.clone()];
    read.extend_from_slice(&staged.libraries);
    read.extend(cargo_home.as_ref().map(|home| home.join("registry")));
    let mut environment = vec![
        ("PATH".into(), path_with(&sysroot.join("bin"))),
        ("RUSTC".into(), sysroot.join("bin/rustc").into()),
        ("CARGO_TERM_COLOR".into(), "never".into()),
    ];
    environment.extend(cargo_home.map(|home| ("CARGO_HOME".into(), home.into())));
    environment.extend(std::env::var_os("RUSTFLAGS").map(|flags| ("RUSTFLAGS".into(), flags)));
    let reach = Reach { read, write, execute: None, environment, limits: sandbox.build_limits };
    Ok(sandbox.errands().run(&command, &reach, BUILD_TIME)?)
}

fn path_with(folder: &Path) -> OsString {
    let mut path = folder.as_os_str().to_owned();
    path.push(":/usr/local/bin:/usr/bin:/bin");
    path
}

/// What the harness's own lock file names is downloaded before, since a build has no network.
fn fetch(staged: &StagedCrate, sysroot: &Path) -> anyhow::Result<()> {
    let lock = std::fs::read_to_string(staged.folder.join("Cargo.lock")).unwrap_or_default();
    if !lock.contains("\nsource = ") {
        return Ok(());
    }
    let cargo = sysroot.join("bin/cargo");
    let mut command = Command::new(cargo);
    command.args(["fetch", "--locked", "--manifest-path"]).arg(staged.folder.join("Cargo.toml"));
    let output = command.current_dir("/").stdin(Stdio::null()).output().context("cargo fetch")?;
    if output.status.success() {
        return Ok(());
    }
    bail!(suite::Fault(format!("cargo fetch: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

fn built(staged: &StagedCrate, executable: &Path) -> Built {
    Built::Program(Arc::new(subject_at(&staged.name, executable, staged.address)))
}

/// A program that is one executable and needs nothing else.
pub(crate) fn subject(name: &str, executable: &Path) -> Subject {
    subject_at(name, executable, None)
}

fn subject_at(name: &str, executable: &Path, address: Option<SocketAddr>) -> Subject {
    let command = CommandLine::new([executable.as_os_str(), "{host}".as_ref(), "{port}".as_ref()]);
    let only_itself = vec![executable.to_owned()];
    let reach = Reach { read: only_itself.clone(), execute: Some(only_itself), ..Reach::default() };
    Subject::new(name, command, address, None).with_reach(reach)
}

/// What was built from what. Asking cargo whether anything has changed takes longer than most
/// checks; the harness knows, since it has just copied the sources.
struct Stamp {
    file: PathBuf,
    key: String,
}

impl Stamp {
    /// The harness's own executable stands for the toolchain: another compiler builds it anew.
    fn of(staged: &StagedCrate, target: &Path) -> anyhow::Result<Self> {
        let harness = std::fs::metadata(repository::this_executable()?)?;
        let age = harness.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let flags = std::env::var_os("RUSTFLAGS").unwrap_or_default();
        let key = Fnv::default()
            .field(&staged.fingerprint.to_be_bytes())
            .field(&harness.len().to_be_bytes())
            .field(&age.as_nanos().to_be_bytes())
            .field(flags.as_encoded_bytes());
        Ok(Self { file: target.with_extension("built"), key: format!("{:016x}", key.finish()) })
    }

    /// What was built from just this, if it is still there.
    fn executable(&self) -> Option<PathBuf> {
        let text = std::fs::read_to_string(&self.file).ok()?;
        let (key, executable) = text.split_once('\n')?;
        Some(PathBuf::from(executable)).filter(|path| key == self.key && path.is_file())
    }

    fn write(&self, executable: &Path) -> anyhow::Result<()> {
        // A path that is no text is asked of cargo each time.
        if let Some(executable) = executable.to_str() {
            std::fs::write(&self.file, format!("{}\n{executable}", self.key))?;
        }
        Ok(())
    }
}

/// Builds every program of a crate; by name, where it is.
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
    Command::new(cargo)
        .args(["build", "--message-format=json-diagnostic-rendered-ansi", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                anyhow!("there is no cargo on PATH: install Rust (https://rustup.rs), then open a new terminal")
            }
            _ => anyhow!("cargo cannot be started: {error}"),
        })
}

/// What cargo says, a JSON object a line (The Cargo Book, External tools, JSON messages).
#[derive(Default)]
struct Messages {
    errors: Vec<String>,
    executables: BTreeMap<String, PathBuf>,
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-message")]
    Diagnostic { message: Diagnostic },
    #[serde(rename = "compiler-artifact")]
    Artifact { target: Target, executable: Option<PathBuf> },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
    #[serde(default)]
    spans: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Messages {
    fn read(output: &[u8]) -> Self {
        let mut messages = Self::default();
        let mut placeless = Vec::new();
        for line in output.split(|byte| *byte == b'\n') {
            match serde_json::from_slice(line) {
                Ok(Message::Diagnostic { message }) if message.level.starts_with("error") => {
                    let list = if message.spans.is_empty() {
                        &mut placeless
                    } else {
                        &mut messages.errors
                    };
                    list.extend(message.rendered);
                }
                Ok(Message::Artifact { target, executable: Some(executable) }) => {
                    messages.executables.insert(target.name, executable);
                }
                _ => {}
            }
        }
        // Beside others, an error without a place is rustc's count of them.
        if messages.errors.is_empty() {
            messages.errors = placeless;
        }
        messages
    }

    /// The program of this name, or the only one there is.
    fn executable(&self, name: &str) -> Option<&PathBuf> {
        self.executables
            .get(name)
            .or_else(|| self.executables.values().next().filter(|_| self.executables.len() == 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACELESS: &str = r#"{"reason":"compiler-message","message":{"level":"error","rendered":"no main","spans":[]}}"#;
    const PLACED: &str = r#"{"reason":"compiler-message","message":{"level":"error","rendered":"E0308","spans":[{}]}}"#;

    #[test]
    fn an_error_without_a_place_is_told_where_there_is_no_other() {
        let errors = |lines: &[&str]| Messages::read(lines.join("\n").as_bytes()).errors;
        assert_eq!(errors(&[PLACELESS]), ["no main"]);
        assert_eq!(errors(&[PLACED, PLACELESS]), ["E0308"]);
    }
}
