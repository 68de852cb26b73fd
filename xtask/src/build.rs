//! From sources to programs: by cargo, or by the commands of the language's row, in the same
//! sandbox as the programs. The compiler's messages are kept word for word.

mod artefact;
mod cargo;
mod command;
mod dependencies;
mod messages;
mod other;
mod parts;
mod room;
mod stamp;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use suite::{CommandLine, Reach, Subject, Tier};

use crate::parallel;
use crate::sandbox::Sandbox;
use crate::submission::{self, Source, Sources, StagedCrate};
use crate::terminal::Progress;
use crate::unbuilt::{Reason, Unbuilt};

pub(crate) use cargo::all_programs_of;
pub(crate) use command::{find_executable, subject_of_command};

/// The programs that were built, and those that were not.
#[derive(Debug)]
pub(crate) struct Programs {
    /// The programs that can be run.
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
    if sources.programs.iter().any(|source| executes_where_it_is_built(source, sandbox)) {
        sandbox.check_execution()?;
    }
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

/// Whether what is built, or what a build makes for itself, is executed in the temporary folder. With
/// namespaces a program is copied into memory.
fn executes_where_it_is_built(source: &Source, sandbox: &Sandbox) -> bool {
    let makes_commands =
        |source: &Source| matches!(source, Source::Other(it) if it.language.beside_sources);
    let is_copied = sandbox.confinement.tier() == Tier::Namespaces;
    name_of_built(source).is_some() && (!is_copied || makes_commands(source))
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
        Source::Command(given) => {
            Ok(Built::Program(Arc::new(command::subject(given, sandbox.confinement.tier())?)))
        }
        Source::Crate(staged) => {
            room::unless_there_was_none(cargo::build(staged, sandbox)?, staged)
        }
        Source::Other(program) => {
            room::unless_there_was_none(other::build(program, sandbox)?, &program.staged)
        }
        Source::Ready(ready) => Ok(Built::Program(ready.subject.clone())),
        Source::Unusable(unbuilt) => Ok(Built::Not(unbuilt.clone())),
    }
}

/// Refuses what a build has left.
fn cannot_be_run(staged: &StagedCrate, why: &str) -> Reason {
    Reason::Refused(format!("what the build has left as {} cannot be run: {why}", staged.name))
}

fn not_built(staged: &StagedCrate, mut reason: Reason) -> Built {
    if let Reason::DoesNotCompile(errors) = &mut reason {
        submission::say_beside(errors, &staged.left);
    }
    let (program, origin) = (staged.name.clone(), staged.origin.clone());
    Built::Not(Unbuilt { program, origin, reason })
}

/// The time that a build may take by the clock: generous, because the machine may be busy.
const BUILD_TIME: Duration = Duration::from_secs(300);

/// Returns the name of a language's folder in a store. Each tier has its own.
fn name_in_store(language: &str, sandbox: &Sandbox) -> PathBuf {
    Path::new(&format!("{:?}", sandbox.confinement.tier()).to_lowercase()).join(language)
}

/// Returns the program that is one executable and needs nothing else.
pub(crate) fn subject(name: &str, executable: &Path) -> Subject {
    subject_at(name, executable, None, None)
}

/// Returns the program that is one executable, and reads what is in its folder.
fn subject_at(
    name: &str,
    executable: &Path,
    address: Option<SocketAddr>,
    folder: Option<PathBuf>,
) -> Subject {
    let command = CommandLine::new([executable.as_os_str(), "{host}".as_ref(), "{port}".as_ref()]);
    let only_itself = vec![executable.to_owned()];
    let read = only_itself.iter().cloned().chain(folder.clone()).collect();
    let reach = Reach { read, execute: Some(only_itself), ..Reach::default() };
    Subject::new(name, command, address, folder).with_reach(reach)
}
