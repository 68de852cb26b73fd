//! Where the programs of one check run: folders, network, and what confines them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::network::Network;
use crate::sandbox::Confinement;

/// Where the programs of one check run.
#[derive(Debug)]
pub(crate) struct Place {
    launcher: PathBuf,
    scratch: PathBuf,
    confinement: Arc<Confinement>,
    network: Network,
}

impl Place {
    /// Makes a place with a private network where the confinement has one. `launcher` is an
    /// executable that becomes a launcher; `scratch` is where working folders are made.
    pub(crate) fn new(
        launcher: &Path,
        scratch: &Path,
        confinement: &Arc<Confinement>,
    ) -> io::Result<Self> {
        Ok(Self {
            launcher: launcher.to_owned(),
            scratch: scratch.to_owned(),
            confinement: confinement.clone(),
            network: Network(confinement.network()?),
        })
    }

    /// Makes another place like this one, with a new private network.
    pub(crate) fn another(&self) -> io::Result<Self> {
        Self::new(&self.launcher, &self.scratch, &self.confinement)
    }

    pub(crate) fn launcher(&self) -> &Path {
        &self.launcher
    }

    pub(crate) fn confinement(&self) -> &Confinement {
        &self.confinement
    }

    /// The network in which the programs and the harness's sockets meet.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// Returns the folder for one launch: the given one, or an empty one that is removed later.
    pub(crate) fn folder(&self, given: Option<&Path>) -> io::Result<WorkingFolder> {
        Ok(match given {
            Some(folder) => WorkingFolder::Given(folder.to_owned()),
            None => WorkingFolder::Fresh(
                tempfile::Builder::new().prefix("run-").tempdir_in(&self.scratch)?,
            ),
        })
    }
}

/// The folder in which a program is started.
#[derive(Debug)]
pub(crate) enum WorkingFolder {
    Fresh(tempfile::TempDir),
    Given(PathBuf),
}

impl WorkingFolder {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Fresh(folder) => folder.path(),
            Self::Given(folder) => folder,
        }
    }
}
