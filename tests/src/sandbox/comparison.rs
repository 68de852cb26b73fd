//! Shows an ordinary program to the harness, for comparison with a submission. What the harness sees
//! of it the system shows: a program of which less is seen hides.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::ordinary;
use super::process::Process;
use super::spec::{Jail, JailedCommand, Reach, Stdin};
use crate::observe::ProcessTree;

/// The time that it has to listen, on a busy machine.
const STARTING: Duration = Duration::from_secs(5);

/// Returns whether the harness sees this much of an ordinary program in this jail. Where it cannot be
/// started, nothing is known, and so nothing is shown.
pub(crate) fn is_shown(
    (launcher, scratch): (&Path, &Path),
    jail: impl FnOnce(&Reach) -> io::Result<Jail>,
    look: impl Fn(&ProcessTree) -> bool,
) -> io::Result<bool> {
    let itself = vec![launcher.to_owned()];
    let reach = Reach { read: itself.clone(), execute: Some(itself), ..Reach::default() };
    let launch = JailedCommand {
        command: vec![launcher.into(), ordinary::ARGUMENT.into()],
        stdin: Stdin::default(),
        jail: jail(&reach)?,
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
