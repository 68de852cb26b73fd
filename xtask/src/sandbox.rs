//! Where programs are built and run. It is prepared, and tried by a self-test, before any file of a
//! submission is touched.

use std::path::PathBuf;
use std::sync::Arc;

use suite::{Commands, Confinement, Fault, Limits, Scratch, Wanted};

use crate::repository;

#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) launcher: PathBuf,
    pub(crate) scratch: Scratch,
    pub(crate) confinement: Arc<Confinement>,
    /// The limits of compilers.
    pub(crate) build_limits: Limits,
}

impl Sandbox {
    pub(crate) fn prepare(wanted: Wanted) -> anyhow::Result<Self> {
        let within = std::env::temp_dir();
        let why = |error| {
            let within = within.display();
            Fault(format!(
                "cannot make a temporary folder in {within}: {error}; set TMPDIR to another"
            ))
        };
        let scratch = Scratch::new().map_err(why)?;
        let launcher = repository::this_executable()?;
        let confinement = Confinement::begin(wanted, &launcher, scratch.path())?;
        Ok(Self { launcher, scratch, confinement, build_limits: Limits::BUILD })
    }

    /// Returns what runs compilers.
    pub(crate) fn commands(&self) -> Commands<'_> {
        Commands {
            launcher: &self.launcher,
            scratch: self.scratch.path(),
            confinement: &self.confinement,
        }
    }
}
