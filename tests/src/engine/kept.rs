//! What is kept of a check's programs for afterwards: their output, and how they ended.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::engine::unwritten::Unwritten;
use crate::fault::Fault;
use crate::sandbox::Output;

/// How many bytes of the end of a program's output are evidence.
const TAIL: usize = 2000;

/// What the end of a program that passed a limit is called.
pub(crate) const ENDED_FOR: &str = "ended by the grader for using ";

pub(crate) const MIB: usize = 1024 * 1024;

/// A program that has printed this much, in bytes, before it does anything else is in a loop.
pub(crate) const FLOOD: usize = 8 * MIB;

/// What is kept of a check's programs for afterwards.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    launches: Vec<Launched>,
    exit: Option<ExitStatus>,
    /// The limit for which the harness ended a program, in a sentence.
    over: Option<String>,
    /// The calls that the confinement has refused.
    refused: BTreeSet<String>,
    /// The machine ended the process that keeps a program.
    lost: bool,
}

/// One launch of a program.
#[derive(Debug, Clone)]
struct Launched {
    program: String,
    outputs: Outputs,
    /// Copies that it works with, each with the place that it stands in for.
    copies: Vec<(PathBuf, PathBuf)>,
}

impl Launched {
    /// Returns the end of a stream. It names the places themselves, not their copies.
    fn tail(&self, stream: &Output) -> Vec<u8> {
        let tail = stream.tail(TAIL);
        self.copies.iter().fold(tail, |tail, (copy, place)| {
            let [copy, place] = [copy, place].map(|path| path.as_os_str().as_encoded_bytes());
            replace(&tail, copy, place)
        })
    }
}

/// Replaces a sequence of bytes wherever it occurs.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut replaced, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Both output streams of one launched program.
#[derive(Debug, Clone)]
pub(crate) struct Outputs {
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

impl Outputs {
    /// Returns whether the program prints without end.
    pub(crate) fn are_a_flood(&self) -> bool {
        self.stdout.total() + self.stderr.total() > FLOOD
    }
}

impl Kept {
    /// Returns how many bytes the programs have printed.
    pub(crate) fn printed(&self) -> usize {
        let total = |of: &Outputs| of.stdout.total() + of.stderr.total();
        self.lock().launches.iter().map(|launched| total(&launched.outputs)).sum()
    }

    /// Adds a launch of the program of this name.
    pub(crate) fn add_launch(
        &self,
        program: &str,
        outputs: Outputs,
        copies: Vec<(PathBuf, PathBuf)>,
    ) {
        let program = program.to_owned();
        self.lock().launches.push(Launched { program, outputs, copies });
    }

    /// Returns the first step that a program reports as not written yet, with the program's name.
    pub(crate) fn unwritten(&self) -> Option<(String, Unwritten)> {
        let all = self.lock().launches.clone();
        let find = |launched: Launched| {
            let step = Unwritten::find(&launched.tail(&launched.outputs.stderr))?;
            Some((launched.program, step))
        };
        all.into_iter().find_map(find)
    }

    pub(crate) fn set_exit(&self, status: ExitStatus) {
        self.lock().exit = Some(status);
    }

    /// Keeps the limit for which the harness ended a program. The first one counts.
    pub(crate) fn set_over(&self, limit: String) {
        self.lock().over.get_or_insert(limit);
    }

    /// Keeps that the machine ended the process that keeps a program, and the program with it.
    pub(crate) fn set_lost(&self) {
        self.lock().lost = true;
    }

    /// Returns why a failure of these programs proves nothing.
    pub(crate) fn lost(&self) -> Option<Fault> {
        let why = "the process that keeps the program was killed: is there too little memory?";
        self.lock().lost.then(|| Fault(why.to_owned()))
    }

    pub(crate) fn add_refused(&self, calls: &[String]) {
        self.lock().refused.extend(calls.iter().cloned());
    }

    /// Returns the calls that the confinement has refused, each once.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.lock().refused.iter().cloned().collect()
    }

    /// Returns how the last program ended that ended by itself. A program that the harness ended is
    /// none.
    pub(crate) fn ended(&self) -> Option<String> {
        let state = self.lock();
        state.exit.filter(|_| state.over.is_none()).map(describe)
    }

    /// Returns the limit for which the harness ended a program, in a sentence.
    pub(crate) fn over(&self) -> Option<String> {
        self.lock().over.clone()
    }

    /// Returns the end of what the last program printed on standard error that printed anything.
    pub(crate) fn stderr_tail(&self) -> Vec<u8> {
        self.tail(|outputs| &outputs.stderr)
    }

    /// Returns the same of standard output.
    pub(crate) fn stdout_tail(&self) -> Vec<u8> {
        self.tail(|outputs| &outputs.stdout)
    }

    fn tail(&self, stream: fn(&Outputs) -> &Output) -> Vec<u8> {
        let state = self.lock();
        let launches = state.launches.iter().rev();
        let tails = launches.map(|launched| launched.tail(stream(&launched.outputs)));
        tails.into_iter().find(|tail| !tail.is_empty()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says an exit status in words: `exit status 101`, `signal 9 (SIGKILL)`.
pub(crate) fn describe(status: ExitStatus) -> String {
    status
        .to_string()
        .replace("exit status: ", "exit status ")
        .replace("exit code: ", "exit status ")
        .replace("signal: ", "signal ")
}
