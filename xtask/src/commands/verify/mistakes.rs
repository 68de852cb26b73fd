//! Compares the grading of every known mistake with its row in the catalogue.

use std::collections::BTreeSet;

use suite::Status;

use super::catalogue::Mistake;
use super::golden::Golden;
use super::ground::Ground;
use super::matrix::Matrix;
use super::naming::Naming;
use super::words::told;
use crate::grade::Grading;
use crate::{parallel, terminal};

/// Grades every chosen mistake and returns the complaints.
pub(super) fn check(ground: &Ground<'_>) -> anyhow::Result<Vec<String>> {
    let chosen = chosen(ground);
    let mut complaints = Vec::new();
    let mut naming = Naming::default();
    let mut different = Vec::new();
    let matrix = Matrix::new(&ground.rubric, chosen.iter().map(|mistake| mistake.id.len()));
    let golden = Golden::new(&ground.rubric.folder, ground.request.renew_evidence);

    let grade = |mistake: &&Mistake| ground.grade(Some((&mistake.program, &mistake.id)));
    parallel::in_order(&chosen, ground.jobs(), grade, |mistake, grading| {
        matrix.row(&mistake.id, &grading);
        if !golden.agrees(&mistake.id, &grading)? {
            different.push(mistake.id.as_str());
        }
        naming.count(ground.rubric.practical, mistake, &grading);
        complaints.extend(differences(mistake, &grading));
        Ok(())
    })?;

    matrix.legend();
    complaints.extend(naming.conclude());
    if !different.is_empty() {
        terminal::say_line(format_args!(
            "these reports differ from the golden files in mistakes/evidence: {}\n(read them, then accept them with --renew-evidence)",
            different.join(", ")
        ));
    }
    complaints.extend(unproved(ground, &chosen));
    Ok(complaints)
}

/// Returns the chosen mistakes that can be run here, and prints which cannot.
fn chosen<'a>(ground: &'a Ground<'_>) -> Vec<&'a Mistake> {
    let chosen = ground.mistakes().filter(|mistake| ground.is_chosen(&mistake.id));
    let missing = |mistake: &&Mistake| ground.missing_tool(&mistake.id);
    let (chosen, absent): (Vec<&Mistake>, Vec<_>) =
        chosen.partition(|mistake| missing(mistake).is_none());
    for mistake in absent {
        let tool = missing(&mistake).unwrap_or_default();
        terminal::say_line(format_args!("{}  skipped: {tool} is not here", mistake.id));
    }
    chosen
}

/// Returns a complaint for each check that none of these mistakes fails.
fn unproved(ground: &Ground<'_>, chosen: &[&Mistake]) -> Vec<String> {
    if !ground.request.only.is_empty() || ground.catalogue.is_none() {
        return Vec::new();
    }
    let failed: BTreeSet<&str> =
        chosen.iter().flat_map(|mistake| &mistake.fails).map(String::as_str).collect();
    let unproved = ground.rubric.checks.iter().map(|row| row.check.id);
    unproved
        .filter(|id| !failed.contains(id))
        .map(|id| format!("no mistake fails {id}: a check that cannot fail proves nothing"))
        .collect()
}

fn differences(mistake: &Mistake, grading: &Grading) -> Vec<String> {
    let must_fail = |id: &str| mistake.fails.iter().any(|failing| failing == id);
    let may_fail = |id: &str| mistake.may_fail.iter().any(|failing| failing == id);
    let wrong =
        grading.rows.iter().map(|row| &row.verdict).filter(|verdict| match verdict.status {
            Status::Failed(_) => !must_fail(verdict.check) && !may_fail(verdict.check),
            Status::Unseen(_) => false,
            Status::Fault(_) => true,
            _ => must_fail(verdict.check),
        });
    wrong
        .map(|verdict| format!("{}, which {}: {}", mistake.id, mistake.does, told(verdict)))
        .collect()
}
