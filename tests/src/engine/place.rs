//! Where the programs of one check run: folders, network, and what confines them.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::network::Network;
use crate::sandbox::{Confinement, Reach};

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

    /// Returns the folder for one launch: the given one, or one that is removed later. That one is
    /// empty, or stands in for the given one.
    pub(crate) fn folder(&self, given: Option<&Path>, reach: &Reach) -> io::Result<WorkingFolder> {
        if let Some(folder) = given.filter(|_| !self.confinement.keeps_folders()) {
            return Ok(WorkingFolder::Given(folder.to_owned()));
        }
        let fresh = tempfile::Builder::new().prefix("run-").tempdir_in(&self.scratch)?;
        if let Some(folder) = given {
            self.confinement.stand_in(fresh.path(), folder, reach)?;
        }
        Ok(WorkingFolder::Fresh(fresh))
    }

    /// Makes words that name a place above the given folder absolute: nothing is above the folder
    /// that stands in for it.
    pub(crate) fn words(&self, words: Vec<OsString>, given: Option<&Path>) -> Vec<OsString> {
        let Some(given) = given.filter(|_| self.confinement.keeps_folders()) else { return words };
        let leads_above = |word: &OsString| Path::new(word).starts_with("..");
        let absolute = |word: OsString| match given.join(&word) {
            place if leads_above(&word) && place.exists() => place.into(),
            _ => word,
        };
        words.into_iter().map(absolute).collect()
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
