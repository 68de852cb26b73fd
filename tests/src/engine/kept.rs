//! What is kept of a check's programs for afterwards: their output, and how they ended.

use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sandbox::Output;

/// How many bytes of the end of a program's output are evidence.
const TAIL: usize = 2000;

/// What the end of a program that passed a limit is called.
pub const ENDED_FOR: &str = "ended by the grader for using ";

/// What is kept of a check's programs for afterwards.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    outputs: Vec<Outputs>,
    exit: Option<ExitStatus>,
    /// The limit for which the harness ended a program, in a sentence.
    over: Option<String>,
}

/// Both output streams of one launched program.
#[derive(Debug, Clone)]
pub(crate) struct Outputs {
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

impl Kept {
    pub(crate) fn add_outputs(&self, outputs: Outputs) {
        self.lock().outputs.push(outputs);
    }

    pub(crate) fn set_exit(&self, status: ExitStatus) {
        self.lock().exit = Some(status);
    }

    /// Keeps the limit for which the harness ended a program. The first one counts.
    pub(crate) fn set_over(&self, limit: String) {
        self.lock().over.get_or_insert(limit);
    }

    /// Returns how the last program ended that ended by itself, or the limit for which the harness
    /// ended one.
    pub(crate) fn ended(&self) -> Option<String> {
        let state = self.lock();
        let over = state.over.as_ref().map(|limit| format!("{ENDED_FOR}{limit}"));
        over.or_else(|| state.exit.map(describe))
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
        let tails = state.outputs.iter().rev().map(|outputs| stream(outputs).tail(TAIL));
        tails.into_iter().find(|tail| !tail.is_empty()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says an exit status in words: `exit status 101`, `signal 9 (SIGKILL)`.
pub(crate) fn describe(status: ExitStatus) -> String {
    status.to_string().replace("exit status: ", "exit status ").replace("signal: ", "signal ")
}
