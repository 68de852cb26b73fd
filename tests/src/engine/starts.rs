//! Whether a program gets so far as to listen or to connect.
//!
//! The first launch of a program is the scout: the others wait until it is known. Where every start
//! ends the same way, or a server never listens, no check can find out more about the program. Then
//! it is not started again.

use std::process::ExitStatus;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::engine::context::Scene;
use crate::engine::ended::Ended;
use crate::engine::verdict::Failure;

/// Whether a program gets so far as to listen or to connect.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Unknown,
    /// The scout is finding out.
    Scouted,
    /// It listens or connects, at least sometimes.
    GetsSoFar,
    Never(Arc<NeverStarts>),
}

/// What the scout saw of a program that never listens, or never connects.
#[derive(Debug)]
pub(crate) struct NeverStarts {
    /// How it ends; `None` where it does not end.
    pub(crate) status: Option<ExitStatus>,
    /// Whether it only waits, so that another kind of start costs little.
    pub(crate) is_at_rest: bool,
    pub(crate) failure: Failure,
    pub(crate) scene: Arc<Scene>,
}

/// The right of one launch to find out. If it is dropped without a finding, the next launch gets
/// it.
#[derive(Debug)]
pub(crate) struct Scout(Arc<Starts>);

impl NeverStarts {
    /// Returns whether it neither ends nor waits.
    pub(crate) fn is_in_a_loop(&self) -> bool {
        self.status.is_none() && !self.is_at_rest
    }

    /// Returns whether a program that was started in another way ended as it does at every start.
    pub(crate) fn ends_like(&self, ended: &Ended) -> bool {
        self.status.is_some() && self.status == ended.exit.ok()
    }

    /// Returns whether the end of a program that was started with unusable arguments is no answer
    /// to them.
    pub(crate) fn explains(&self, ended: &Ended) -> bool {
        self.ends_like(ended) || !ended.reported_usage()
    }
}

impl Starts {
    /// Waits until it is known whether the program gets so far. The first caller becomes the scout.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Option<Scout>, Arc<NeverStarts>> {
        let mut state = self.settled();
        match &*state {
            State::Never(never) => Err(never.clone()),
            State::Unknown => {
                *state = State::Scouted;
                Ok(Some(Scout(self.clone())))
            }
            State::GetsSoFar | State::Scouted => Ok(None),
        }
    }

    /// Waits while a scout finds out, and returns what it saw of a program that never gets so far.
    pub(crate) fn never(&self) -> Option<Arc<NeverStarts>> {
        match &*self.settled() {
            State::Never(never) => Some(never.clone()),
            _ => None,
        }
    }

    /// Returns whether nothing is known, and no scout is finding out.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(*self.settled(), State::Unknown)
    }

    /// Waits until no scout is finding out. A scout's own waits end.
    fn settled(&self) -> MutexGuard<'_, State> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_scouted = |state: &mut State| matches!(state, State::Scouted);
        self.changed.wait_while(state, is_scouted).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scout {
    /// Keeps that the program listens or connects, at least sometimes.
    pub(crate) fn gets_so_far(self) {
        self.settle(State::GetsSoFar);
    }

    /// Keeps that the program never does.
    pub(crate) fn never(self, never: NeverStarts) {
        self.settle(State::Never(Arc::new(never)));
    }

    fn settle(&self, found: State) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Scouted) {
            *state = found;
        }
        self.0.changed.notify_all();
    }
}

impl Drop for Scout {
    fn drop(&mut self) {
        self.settle(State::Unknown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never() -> NeverStarts {
        let scene = Scene {
            began: std::time::SystemTime::UNIX_EPOCH,
            transcript: Vec::new(),
            stderr_tail: Vec::new(),
            stdout_tail: Vec::new(),
            ended: None,
            over: None,
            refused: Vec::new(),
        };
        let failure = Failure::new("a server", "none");
        NeverStarts { status: None, is_at_rest: false, failure, scene: Arc::new(scene) }
    }

    #[test]
    fn the_others_wait_for_the_scout_and_hear_what_it_saw() {
        let starts = Arc::new(Starts::default());
        let scout = starts.enter().unwrap().unwrap();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| starts.enter().map(|scout| scout.is_some()).is_err());
            assert!(!other.is_finished());
            scout.never(never());
            assert!(other.join().unwrap());
        });
        assert!(starts.never().is_some());
    }

    #[test]
    fn a_scout_without_a_finding_gives_its_place_to_the_next() {
        let starts = Arc::new(Starts::default());
        drop(starts.enter().unwrap().unwrap());
        assert!(starts.is_unknown());
        starts.enter().unwrap().unwrap().gets_so_far();
        assert!(starts.enter().unwrap().is_none());
        assert!(starts.never().is_none());
    }
}
