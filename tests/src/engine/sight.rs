//! Tells a program that hides from the harness from a system that shows nothing of any program.
//!
//! A program can close itself to others (prctl(2), PR_SET_DUMPABLE). Checks that must look into it
//! would then not count, and that costs no point. So the same look at an ordinary program decides:
//! where the system shows that one, the program hides, and the check fails.

use std::time::Duration;

use crate::engine::context::Context;
use crate::engine::verdict::{Bar, Failure, Stop};
use crate::observe::{CANNOT_SEE, ProcessTree};

/// A look may fall into a moment in which the program changes.
const LOOKS: usize = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Returns what a look at a program shows. Ends the check where it shows nothing.
pub(crate) fn see<T>(
    context: &Context,
    tree: ProcessTree,
    look: impl Fn(&ProcessTree) -> Option<T>,
) -> Result<T, Stop> {
    let seen = see_if_shown(context, tree, look)?;
    seen.ok_or_else(|| Stop::Unseen(CANNOT_SEE.to_owned()))
}

/// Returns what a look at a program shows, or `None` where this system does not show it of any
/// program. Fails for a program that hides, or has ended.
pub(crate) fn see_if_shown<T>(
    context: &Context,
    tree: ProcessTree,
    look: impl Fn(&ProcessTree) -> Option<T>,
) -> Result<Option<T>, Stop> {
    if let Some(seen) = look(&tree) {
        return Ok(Some(seen));
    }
    if !context.place.shows_ordinary_programs(|tree| look(tree).is_some()) {
        return Ok(None);
    }
    for _ in 0..LOOKS {
        if let Some(seen) = look(&tree) {
            return Ok(Some(seen));
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    Err(match tree.tasks() {
        Some(_) => hides(context.activity.name_of(tree)).into(),
        None => Failure::new("your program to keep running", "your program stopped").into(),
    })
}

/// Makes the failure of a program that hides. Its other checks can find out no more.
fn hides(program: Option<String>) -> Failure {
    const EXPECTED: &str = "a program that the grader can look into, like any other on this system";
    const OBSERVED: &str = "your program hides from the grader: the system shows an ordinary \
                            program, but not yours (it may not be readable, or not dumpable)";
    let bar = program.map(|program| Bar { program, from_the_start: true, unwritten: None });
    Failure { bar: bar.map(Box::new), ..Failure::new(EXPECTED, OBSERVED) }
}
