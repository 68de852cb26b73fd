//! From evidence to the mistake that explains it, or to nothing.

use crate::{Diagnosis, Verdict};

/// The mistakes of the echo practical.
pub(crate) fn echo(_verdicts: &[Verdict]) -> Vec<Diagnosis> {
    Vec::new()
}
