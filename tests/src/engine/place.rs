//! Where the programs of one check run: folders, network, and what confines them.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::network::Network;
use crate::observe::ProcessTree;
#[cfg(target_os = "linux")]
use crate::sandbox;
use crate::sandbox::{Confinement, Folder, Reach};

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

    /// Returns whether the harness sees this much of an ordinary program that runs here.
    pub(crate) fn shows_ordinary_programs(&self, look: impl Fn(&ProcessTree) -> bool) -> bool {
        #[cfg(target_os = "linux")]
        if self.confinement.may_look() {
            let files = (self.launcher.as_path(), self.scratch.as_path());
            let jail = |reach: &Reach| self.confinement.jail(&self.network.0, reach, Vec::new());
            return sandbox::is_shown(files, jail, look).unwrap_or(false);
        }
        _ = look;
        false
    }

    /// Prepares one launch of a program: in the given folder, or in one that is removed later. That
    /// one is empty, or has copies where the program must not change the places themselves.
    pub(crate) fn prepare(
        &self,
        given: Option<&Path>,
        reach: &Reach,
        mut words: Vec<OsString>,
    ) -> io::Result<Prepared> {
        let keeps = self.confinement.keeps_folders();
        if let Some(folder) = given.filter(|_| !keeps) {
            let folder = WorkingFolder::Given(folder.to_owned());
            return Ok(Prepared { folder, words, copies: Vec::new() });
        }
        let fresh = Folder::new(&self.scratch, "run-")?;
        let copies = match keeps {
            true => self.confinement.stand_in(fresh.path(), given, reach, &mut words)?,
            false => Vec::new(),
        };
        Ok(Prepared { folder: WorkingFolder::Fresh(fresh), words, copies })
    }
}

/// What one launch of a program needs.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) folder: WorkingFolder,
    /// The words of its command line.
    pub(crate) words: Vec<OsString>,
    /// Copies that it works with, each with the place that it stands in for.
    pub(crate) copies: Vec<(PathBuf, PathBuf)>,
}

/// The folder in which a program is started.
#[derive(Debug)]
pub(crate) enum WorkingFolder {
    Fresh(Folder),
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
