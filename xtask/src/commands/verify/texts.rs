//! Checks that the students' texts agree with the rubric and the catalogue.

use anyhow::Context;

use super::catalogue::Mistake;
use super::ground::Ground;
use super::words::say;

/// Checks that the handout's table has every row of the rubric.
pub(super) fn handout(ground: &Ground<'_>) -> anyhow::Result<Vec<String>> {
    let path = ground.rubric.folder.join("README.md");
    let shown = ground.grader.repository.relative(&path);
    let text = crate::files::read_text(&path).with_context(|| shown.clone())?;
    let rows = ground.rubric.checks.iter().filter(|row| !row.hidden).map(|row| {
        format!("| {} | `{}` | {} | {} |", row.check.group, row.check.id, row.claim, row.points)
    });
    let missing: Vec<String> = rows
        .filter(|row| !text.contains(row))
        .map(|row| format!("{shown} has no line {row}"))
        .collect();
    say("handout", missing.is_empty(), "its table is the rubric's");
    Ok(missing)
}

/// Checks that every mistake is explained in full, with the checks that fail for it.
pub(super) fn explanations(ground: &Ground<'_>) -> Vec<String> {
    let explained = &ground.rubric.explanations;
    let differs = |mistake: &Mistake| {
        let unknown = mistake.makes().into_iter().find(|made| explained.of(made).is_none());
        let own = explained.of(&mistake.id).filter(|row| row.fails != mistake.fails);
        match (unknown, own) {
            (Some(made), _) => Some(format!("has no row for {made}")),
            (None, Some(_)) => {
                Some(format!("{} does not fail what mistakes.toml says", mistake.id))
            }
            (None, None) => None,
        }
    };
    let wordless =
        ground.rubric.practical.mistakes().into_iter().filter(|id| explained.of(id).is_none());
    let wordless = wordless.map(|id| format!("has no row for {id}, which may be named"));
    let rows = ground.mistakes().filter_map(differs);
    let complaints: Vec<String> =
        explained.gaps().into_iter().chain(wordless).chain(rows).collect();
    say(
        "explanations",
        complaints.is_empty(),
        &format!("{} mistakes, each in full", explained.mistake.len()),
    );
    complaints.into_iter().map(|complaint| format!("explanations.toml: {complaint}")).collect()
}
