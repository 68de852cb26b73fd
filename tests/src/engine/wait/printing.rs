//! Tells a program's work from its waiting by what it prints, where the system does not show
//! processor time. What it prints does not matter.

use std::time::Duration;

/// The longest time for which printing counts as work: a program may print for ever.
const MOST: Duration = Duration::from_secs(4);

/// How long programs have printed during one wait.
#[derive(Debug)]
pub(super) struct Printing {
    /// The bytes that they had printed at the last look.
    printed: usize,
    time: Duration,
}

impl Printing {
    /// Begins when the programs have printed this number of bytes.
    pub(super) fn after(printed: usize) -> Self {
        Self { printed, time: Duration::ZERO }
    }

    /// Returns whether they printed in this slice of the wait; now they have printed this number of bytes.
    pub(super) fn goes_on(&mut self, printed: usize, slice: Duration) -> bool {
        let before = std::mem::replace(&mut self.printed, printed);
        let goes_on = printed > before && self.time < MOST;
        self.time += if goes_on { slice } else { Duration::ZERO };
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLICE: Duration = Duration::from_secs(1);

    #[test]
    fn printing_is_work_and_silence_is_not() {
        let mut printing = Printing::after(100);
        assert!(!printing.goes_on(100, SLICE));
        assert!(printing.goes_on(101, SLICE));
        assert!(!printing.goes_on(101, SLICE));
    }

    #[test]
    fn a_program_that_prints_for_ever_does_not_work_for_ever() {
        let mut printing = Printing::after(0);
        let slices = (1..=20).filter(|printed| printing.goes_on(*printed, SLICE)).count();
        assert_eq!(slices, 4);
    }
}
