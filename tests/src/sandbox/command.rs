//! Runs a command under confinement until it ends. Builds use it.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use crate::fault::Fault;
use crate::sandbox::confinement::Confinement;
use crate::sandbox::folder::Folder;
use crate::sandbox::process::Process;
use crate::sandbox::spec::{JailedCommand, Reach, Stdin};

/// The result of a command.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status; `None` where the harness ended it.
    pub status: Option<ExitStatus>,
    /// The limit that it passed, in a sentence with the number.
    pub over: Option<String>,
    /// Its standard output: all of it, or its beginning and its end.
    pub stdout: Vec<u8>,
    /// Its standard error, kept in the same way.
    pub stderr: Vec<u8>,
}

/// The time that is left for a submission.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    /// Until then.
    pub until: Instant,
    /// The whole time, of which this is the rest.
    pub of: Duration,
}

/// Where commands run, and how they are confined.
#[derive(Debug, Clone, Copy)]
pub struct Commands<'a> {
    /// As in [`crate::Settings`].
    pub launcher: &'a Path,
    /// As in [`crate::Settings`].
    pub scratch: &'a Path,
    /// The confinement of the run.
    pub confinement: &'a Confinement,
    /// The time that is left for the submission; no command goes on after it.
    pub left: Option<Left>,
}

impl Commands<'_> {
    /// Runs a command in an empty folder for at most `time` of wall time, and ends all of its
    /// processes.
    pub fn run(
        &self,
        command: &[OsString],
        reach: &Reach,
        time: Duration,
    ) -> Result<Finished, Fault> {
        let folder = Folder::new(self.scratch, "build-")?;
        let network = self.confinement.network()?;
        let launch = JailedCommand {
            command: command.to_vec(),
            stdin: Stdin { then_end: true, ..Stdin::default() },
            jail: self.confinement.jail(&network, reach, Vec::new())?,
        };
        let mut process =
            Process::start(self.launcher, folder.path(), &launch).map_err(io::Error::from)?;
        let own = Instant::now() + time;
        let left = self.left.filter(|left| left.until < own);
        let deadline = left.map_or(own, |left| left.until);
        let mut status = None;
        while status.is_none() && process.over().is_none() && Instant::now() < deadline {
            status = process.exited(Duration::from_millis(200))?;
        }
        let over = process.over();
        process.end()?;
        let late = || match left {
            Some(left) => {
                format!("what was left of the {} s for the submission", left.of.as_secs())
            }
            None => format!("more than {} s, which is the limit", time.as_secs()),
        };
        let over = over.or_else(|| status.is_none().then(late));
        Ok(Finished { status, over, stdout: process.stdout.all(), stderr: process.stderr.all() })
    }
}
