//! The time for all that is done about one submission.

use std::time::{Duration, Instant};

use crate::sandbox::Left;

/// The time for all that is done about one submission: its staging, its build and its checks. It
/// passes by the clock, so it is far longer than any right program needs.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    began: Instant,
    whole: Duration,
}

impl Budget {
    /// What a submission has unless the caller says otherwise.
    pub const USUAL: Duration = Duration::from_secs(600);

    /// Begins now.
    pub fn begin(whole: Duration) -> Self {
        const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        Self { began: Instant::now(), whole: whole.min(LONGEST) }
    }

    /// Whether the time has passed.
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// The time that is left.
    pub fn left(&self) -> Duration {
        self.whole.saturating_sub(self.began.elapsed())
    }

    /// Returns the same for commands.
    pub fn for_commands(&self) -> Left {
        Left { until: self.began + self.whole, of: self.whole }
    }

    /// Returns how long it is in all.
    pub(crate) fn whole(&self) -> Duration {
        self.whole
    }
}
