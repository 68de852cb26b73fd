//! A program that was waited for: how it ended, and what it printed.

use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::Arc;

use crate::engine::kept::{ENDED_FOR, Outputs, describe};
use crate::engine::snapshot::Snapshot;
use crate::engine::wait::GaveUp;

/// A program that was waited for. Its processes are gone, whether it ended by itself or not.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How it ended by itself, or why the wait for that ended.
    pub(crate) exit: Result<ExitStatus, GaveUp>,
    /// Where it was when that wait ended.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    /// The limit for which the harness ended it, in a sentence.
    pub(crate) over: Option<String>,
    pub(crate) outputs: Outputs,
    /// Where it listened when that wait ended, as far as the system shows it.
    pub(crate) listening: Vec<SocketAddr>,
}

impl Ended {
    /// Says what it did, for a failure.
    pub(crate) fn describe(&self) -> String {
        match self.exit {
            Ok(status) => describe(status),
            Err(GaveUp::OverLimit) => {
                let limit = self.over.as_deref().unwrap_or("too much");
                format!("your program was {ENDED_FOR}{limit}")
            }
            Err(_) if !self.listening.is_empty() => {
                let all: Vec<String> = self.listening.iter().map(SocketAddr::to_string).collect();
                format!("your program goes on: it listens on {} instead", all.join(" and "))
            }
            Err(GaveUp::Stuck) => {
                "it does not end: it is waiting for something that will never come".to_owned()
            }
            Err(GaveUp::Waited(time)) => {
                format!("your program did not stop within {:.1} s", time.as_secs_f64())
            }
            Err(GaveUp::Worked(time)) => {
                let seconds = time.as_secs_f64();
                format!("your program did not stop in {seconds:.1} s of processor time")
            }
        }
    }

    /// Returns whether it ended with exit status 0.
    pub(crate) fn succeeded(&self) -> bool {
        self.exit.is_ok_and(|status| status.success())
    }

    /// Returns whether it ended with another exit status than 0.
    pub(crate) fn reported_failure(&self) -> bool {
        self.exit.is_ok_and(|status| !status.success())
    }

    /// Returns whether it explained how to use it and ended with exit status 2.
    pub(crate) fn reported_usage(&self) -> bool {
        self.has_status(2) && self.says_usage()
    }

    /// Returns whether it ended with this exit status.
    pub(crate) fn has_status(&self, code: i32) -> bool {
        self.exit.is_ok_and(|status| status.code() == Some(code))
    }

    fn says_usage(&self) -> bool {
        let stderr = self.outputs.stderr.tail(usize::MAX).to_ascii_lowercase();
        stderr.windows(5).any(|window| window == b"usage")
    }

    /// Returns whether it printed anything on standard error.
    pub(crate) fn said_something(&self) -> bool {
        self.outputs.stderr.total() > 0
    }

    /// Returns what it printed on standard output, or the end of that if it was very much.
    pub(crate) fn stdout(&self) -> Vec<u8> {
        const TAIL: usize = 4096;
        let stdout = &self.outputs.stdout;
        stdout.whole().unwrap_or_else(|| stdout.tail(TAIL))
    }

    /// Returns how it ended, if that is no message: a panic, a traceback, an uncaught error, a
    /// signal.
    pub(crate) fn crash(&self) -> Option<Crash> {
        const PANIC: i32 = 101; // the exit status of Rust's runtime after a panic
        let status = self.exit.ok().filter(|status| !status.success())?;
        let says = |words: &[u8]| self.outputs.stderr.contains(words);
        match status.code() {
            _ if says(b"panicked at") => Some(Crash::Panic),
            _ if says(b"Traceback (most recent call last)") => Some(Crash::Traceback),
            _ if says(b"\nNode.js v") => Some(Crash::UncaughtError),
            Some(PANIC) => Some(Crash::Panic),
            Some(code) => is_exception(code).then_some(Crash::Exception),
            None => Some(Crash::Signal),
        }
    }
}

/// Returns whether Windows ended the program for an error, as for an abort or a wrong pointer. Such
/// an exit status is an NTSTATUS value of the severity "error".
fn is_exception(code: i32) -> bool {
    cfg!(windows) && code.cast_unsigned() >= 0xC000_0000
}

/// How a program ended without a message, in the words of its language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// Rust's.
    Panic,
    /// Python's.
    Traceback,
    /// That of Node.
    UncaughtError,
    Signal,
    /// What Windows has in the place of signals.
    Exception,
}

impl Crash {
    /// Returns its name with an article.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Panic => "a panic",
            Self::Traceback => "a traceback",
            Self::UncaughtError => "an uncaught error",
            Self::Signal => "an end by a signal",
            Self::Exception => "an end by an exception",
        }
    }
}
