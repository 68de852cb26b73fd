//! `explain`: what a check asks for, or what a mistake is, and what to try.

use anyhow::bail;

use crate::catalogue::{self, Mistake};
use crate::explanations::Explanation;
use crate::rubric::{Row, Rubric};
use crate::terminal::{BOLD, wrap};
use crate::{PASSED, repository, rubric, terminal};

pub(crate) fn run(word: &str) -> anyhow::Result<u8> {
    let repository = repository::find()?;
    let mut known = Vec::new();
    for practical in suite::PRACTICALS {
        let rubric = rubric::read(&repository, practical.name)?;
        let mistakes = catalogue::read(practical, &rubric.folder)?.unwrap_or_default().mistake;
        if let Some(row) = rubric.row(word).filter(|row| !row.hidden) {
            terminal::print(&check(&rubric, row, &mistakes))?;
            return Ok(PASSED);
        }
        if let Some(explanation) = rubric.explanations.of(word) {
            let fails = mistakes.iter().find(|mistake| mistake.id == word).map(|mistake| mistake.fails.as_slice());
            terminal::print(&explain_mistake(practical.name, explanation, fails.unwrap_or_default()))?;
            return Ok(PASSED);
        }
        known.extend(rubric.checks.iter().map(|row| row.check.id.to_owned()));
        known.extend(rubric.explanations.mistake.into_iter().map(|explanation| explanation.id));
    }
    match nearest(word, &known) {
        Some(near) => bail!("{word:?} is neither a check nor a mistake; did you mean {near}? (cargo xtask list)"),
        None => bail!("{word:?} is neither a check nor a mistake (cargo xtask list)"),
    }
}

/// A known word that begins alike, or holds what was typed.
fn nearest<'a>(word: &str, known: &'a [String]) -> Option<&'a String> {
    let alike = |other: &&String| other.bytes().zip(word.bytes()).take_while(|(a, b)| a == b).count();
    known
        .iter()
        .find(|other| other.contains(word))
        .or_else(|| known.iter().max_by_key(alike).filter(|other| alike(other) >= 4))
}

fn title(id: &str) -> String {
    format!("{BOLD}{id}{BOLD:#}")
}

fn check(rubric: &Rubric, row: &Row, mistakes: &[Mistake]) -> String {
    let mut text = format!(
        "{}: a check of {}, group {}, {} points\n\n",
        title(row.check.id),
        rubric.practical.name,
        row.check.group,
        row.points
    );
    text += &wrap(&row.claim, 2);
    if !row.needs.is_empty() {
        text += &format!("\nIt is run once these have passed: {}\n", row.needs.join(", "));
    }
    text += "\nTo try\n";
    for (step, hint) in row.hints.iter().enumerate() {
        text += &wrap(&format!("{}. {hint}", step + 1), 2);
    }
    let failing: Vec<&Mistake> =
        mistakes.iter().filter(|mistake| mistake.fails.iter().any(|id| id == row.check.id)).collect();
    if !failing.is_empty() {
        text += "\nMistakes that fail it\n";
        for mistake in failing {
            text += &wrap(&format!("{}: {}", mistake.id, mistake.does), 2);
        }
    }
    text + &format!("\nJust this check: cargo xtask grade {} --only {}\n", rubric.practical.name, row.check.id)
}

fn explain_mistake(practical: &str, mistake: &Explanation, fails: &[String]) -> String {
    let mut text = format!("{}: a mistake that the practical {practical} knows\n\n", title(&mistake.id));
    text += &wrap(&format!("The program {}.", mistake.does.trim_end_matches('.')), 2);
    text += "\nHow it looks\n";
    text += &wrap(&mistake.says, 2);
    text += "\nTo try\n";
    text += &wrap(&mistake.r#try, 2);
    if !fails.is_empty() {
        text += "\nChecks that fail for it\n";
    }
    fails.iter().fold(text, |text, id| format!("{text}  {id}\n"))
}
