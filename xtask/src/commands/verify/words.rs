//! What a verification prints.

use suite::{Status, Verdict};

use crate::grade::{Grading, Points};
use crate::terminal::{self, GREEN, RED};

/// Prints how a right program did and returns the points that it lost.
pub(crate) fn lost_points(name: &str, oddity: &str, grading: &Grading) -> Vec<String> {
    let held = |verdict: &&Verdict| !matches!(verdict.status, Status::Passed | Status::Unseen(_));
    let points = grading.rows.iter().map(|row| &row.verdict).filter(held);
    let points = points.map(|verdict| format!("{name}: {}", told(verdict)));
    let names = grading
        .mistakes
        .iter()
        .map(|mistake| format!("{name}: named {}, and it is right", mistake.id));
    let lost: Vec<String> = points.chain(names).collect();
    say(
        name,
        lost.is_empty(),
        &format!(
            "{oddity}{} in {:.2} s",
            Points::of(&grading.rows),
            grading.duration.as_secs_f64()
        ),
    );
    lost
}

pub(super) fn say(what: &str, holds: bool, how: &str) {
    let (style, word) = if holds { (GREEN, "holds") } else { (RED, "wrong") };
    terminal::say_line(format_args!("{style}{word}{style:#}  {what}: {how}"));
}

pub(super) fn told(verdict: &Verdict) -> String {
    let status = match &verdict.status {
        Status::Passed => "passed".to_owned(),
        Status::Failed(failure) => format!("failed: {failure}"),
        Status::Skipped(need) => format!("was skipped for {need}"),
        Status::Unseen(why) => format!("could not be seen: {why}"),
        Status::Unbuilt => "was not built".to_owned(),
        Status::Fault(fault) => format!("ended as a fault: {fault}"),
    };
    let ended = verdict
        .ended
        .as_ref()
        .map(|exit| format!(" (the program stopped: {exit})"))
        .unwrap_or_default();
    format!("{} {status}{ended}", verdict.check)
}
