//! An ordinary program, to compare a submission with: it listens, and waits for its end.
//!
//! What the harness sees of it the system shows. A program of which less is seen hides.

use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use super::confinement::Confinement;
use super::network::Network;
use super::process::Process;
use super::spec::{JailedCommand, Reach, Stdin};
use crate::observe::ProcessTree;

/// The first argument that makes the harness's executable the ordinary program. No command has this
/// name.
pub(super) const ARGUMENT: &str = "__listen";

/// The time that it has to listen, on a busy machine.
const STARTING: Duration = Duration::from_secs(5);

/// Listens until its standard input ends.
pub(super) fn serve() -> io::Result<()> {
    let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

/// Returns whether the harness sees this much of an ordinary program, confined like a submission's.
/// Where it cannot be started, nothing is known, and so nothing is shown.
pub(crate) fn is_shown(
    (launcher, scratch): (&Path, &Path),
    (confinement, network): (&Confinement, &Network),
    look: impl Fn(&ProcessTree) -> bool,
) -> io::Result<bool> {
    let itself = vec![launcher.to_owned()];
    let reach = Reach { read: itself.clone(), execute: Some(itself), ..Reach::default() };
    let launch = JailedCommand {
        command: vec![launcher.into(), ARGUMENT.into()],
        stdin: Stdin::default(),
        jail: confinement.jail(network, &reach, Vec::new())?,
    };
    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(scratch)?;
    let mut process = Process::start(launcher, folder.path(), &launch)?;
    let began = Instant::now();
    let listens = |tree: &ProcessTree| tree.listening().is_some_and(|it| !it.is_empty());
    while process.exited(Duration::from_millis(1))?.is_none()
        && !listens(&process.tree())
        && began.elapsed() < STARTING
    {}
    let is_shown = listens(&process.tree()) && look(&process.tree());
    process.end()?;
    Ok(is_shown)
}
