//! Where programs are built and run. It is prepared, and tried by a self-test, before any file of a
//! submission is touched.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use suite::{Budget, Commands, Confinement, Fault, Limits, Scratch, Surroundings, Tier, Wanted};

use crate::files;
use crate::repository::{self, Repository};

#[derive(Debug, Clone)]
pub(crate) struct Sandbox {
    pub(crate) launcher: PathBuf,
    pub(crate) scratch: Arc<Scratch>,
    pub(crate) confinement: Arc<Confinement>,
    /// The limits of compilers.
    pub(crate) build_limits: Limits,
    /// The time for one submission.
    pub(crate) budget: Option<Budget>,
}

impl Sandbox {
    pub(crate) fn prepare(repository: &Repository, wanted: Wanted) -> anyhow::Result<Self> {
        suite::check_machine()?;
        let within = std::env::temp_dir();
        let why = |error| {
            let within = within.display();
            Fault(format!(
                "cannot make a temporary folder in {within}: {error}; set TMPDIR to another"
            ))
        };
        let scratch = Arc::new(Scratch::new().map_err(why)?);
        let launcher = repository::this_executable()?;
        let confinement = {
            let private = private(repository, scratch.path());
            let (launcher, scratch) = (&*launcher, scratch.path());
            Confinement::begin(wanted, Surroundings { launcher, scratch, private: &private })?
        };
        check_room(&scratch, confinement.tier())?;
        Ok(Self { launcher, scratch, confinement, build_limits: Limits::BUILD, budget: None })
    }

    /// Returns the same for one submission, which has this time.
    pub(crate) fn within(&self, budget: Budget) -> Self {
        Self { budget: Some(budget), ..self.clone() }
    }

    /// Checks that what is built can be started: it is built and kept in the temporary folder.
    pub(crate) fn check_execution(&self) -> Result<(), Fault> {
        let within = std::env::temp_dir();
        match suite::may_execute_in(self.scratch.path()) {
            true => Ok(()),
            false => Err(Fault(format!(
                "no program can be started in {}, which is mounted noexec: set TMPDIR to another",
                within.display()
            ))),
        }
    }

    /// Returns what runs compilers.
    pub(crate) fn commands(&self) -> Commands<'_> {
        Commands {
            launcher: &self.launcher,
            scratch: self.scratch.path(),
            confinement: &self.confinement,
            left: self.budget.map(|budget| budget.for_commands()),
        }
    }
}

/// Checks that programs can write as much as they may: without namespaces they write to the disk.
fn check_room(scratch: &Scratch, tier: Tier) -> Result<(), Fault> {
    const MIB: u64 = 1024 * 1024;
    let least = Limits::RUN.disk;
    match files::room_in(scratch.path()).filter(|room| tier != Tier::Namespaces && *room < least) {
        None => Ok(()),
        Some(room) => Err(Fault(format!(
            "a grading needs {} MiB in the temporary folder, and {} has {}: set TMPDIR to another",
            least / MIB,
            std::env::temp_dir().display(),
            room / MIB
        ))),
    }
}

/// Returns the folders that no program may see: the course, its solutions, what the grader keeps,
/// and the folder of cargo's tokens.
fn private(repository: &Repository, scratch: &Path) -> Vec<PathBuf> {
    let practicals = suite::PRACTICALS.iter();
    let solutions =
        practicals.map(|it| repository.root().join("practicals").join(it.name).join("solution"));
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    let of_cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home);
    let own = [repository.root().to_owned(), scratch.to_owned()];
    own.into_iter().chain(solutions).chain(repository::target().ok()).chain(of_cargo).collect()
}
