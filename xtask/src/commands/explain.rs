//! `explain`: says what a check asks for, what a mistake is and how to mend it, or lists all
//! mistakes.
//!
//! Everything comes from rubric.toml and explanations.toml, which students have, too.

use anyhow::bail;
use suite::Practical;

use crate::exit::PASSED;
use crate::explanations::Explanation;
use crate::nearest::nearest;
use crate::plural::count;
use crate::request::ExplainRequest;
use crate::rubric::{Row, Rubric};
use crate::terminal::{BOLD, DIM, wrap};
use crate::{remembered, repository, rubric, terminal};

/// The word that lists all mistakes.
const MISTAKES: &str = "mistakes";

pub(crate) fn run(request: &ExplainRequest) -> anyhow::Result<u8> {
    let repository = repository::find()?;
    request.practical.as_ref().map(|name| repository.practical(name)).transpose()?;
    let wanted = |practical: &&Practical| {
        request.practical.as_ref().is_none_or(|name| practical.name == name)
    };
    let read = |practical: &Practical| rubric::read(&repository, practical.name);
    let practicals = suite::PRACTICALS.iter().copied().filter(wanted);
    let rubrics = practicals.map(read).collect::<anyhow::Result<Vec<Rubric>>>()?;
    let text = match request.word.as_deref() {
        None | Some(MISTAKES) => rubrics.iter().map(all_mistakes).collect::<Vec<_>>().join("\n"),
        Some(word) if rubrics.iter().any(|rubric| rubric.practical.name == word) => {
            rubrics.iter().filter(|it| it.practical.name == word).map(all_mistakes).collect()
        }
        Some(word) => found(word, &rubrics)?,
    };
    terminal::page(&text)?;
    Ok(PASSED)
}

/// Returns the explanation in the practical that was graded last; otherwise in all that have one.
fn found(word: &str, rubrics: &[Rubric]) -> anyhow::Result<String> {
    let last = remembered::last_practical();
    let of_last = rubrics.iter().find(|rubric| last.as_deref() == Some(rubric.practical.name));
    if let Some(text) = of_last.and_then(|rubric| explain(rubric, word)) {
        return Ok(text);
    }
    let mut texts: Vec<String> = Vec::new();
    for text in rubrics.iter().filter_map(|rubric| explain(rubric, word)) {
        // Practicals share explanations.
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    if texts.is_empty() { unknown(word, rubrics) } else { Ok(texts.join("\n")) }
}

/// Returns the explanation of a check, of a mistake, or of both if they have the same name.
pub(crate) fn explain(rubric: &Rubric, word: &str) -> Option<String> {
    let row = rubric.row(word).filter(|row| !row.hidden);
    let texts = [
        row.map(|row| check(rubric, row)),
        rubric.explanations.of(word).map(|explanation| mistake(rubric, explanation)),
    ];
    let texts: Vec<String> = texts.into_iter().flatten().collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

fn unknown(word: &str, rubrics: &[Rubric]) -> anyhow::Result<String> {
    let checks = rubrics
        .iter()
        .flat_map(|rubric| &rubric.checks)
        .filter(|row| !row.hidden)
        .map(|row| row.check.id);
    let mistakes =
        rubrics.iter().flat_map(|rubric| &rubric.explanations.mistake).map(|row| row.id.as_str());
    let known: Vec<&str> = checks.chain(mistakes).collect();
    match nearest(word, &known) {
        Some(near) => bail!(
            "{word:?} is neither a check nor a mistake; did you mean {near}? (cargo xtask list)"
        ),
        None => bail!(
            "{word:?} is neither a check nor a mistake (cargo xtask list, cargo xtask explain mistakes)"
        ),
    }
}

// ---- a check ----

fn check(rubric: &Rubric, row: &Row) -> String {
    let mut text = format!(
        "{BOLD}{}{BOLD:#}: a check of {}, group {}, {}\n\n",
        row.check.id,
        rubric.practical.name,
        row.check.group,
        count(row.points as usize, "point")
    );
    text += &wrap(&row.claim, 2);
    if !row.needs.is_empty() {
        text += &format!(
            "\n{}\n",
            wrap(&format!("It is run once these have passed: {}", row.needs.join(", ")), 0)
                .trim_end()
        );
    }
    text += &heading("To try");
    for (step, hint) in row.hints.iter().enumerate() {
        text += &item(&format!("{}.", step + 1), hint);
    }
    let mistakes: String = rubric.explanations.failing(row.check.id).map(one_line).collect();
    if !mistakes.is_empty() {
        text += &heading("Mistakes that fail it");
        text += &mistakes;
    }
    text + &format!(
        "\nJust this check: cargo xtask grade {} --only {}\n",
        rubric.practical.name, row.check.id
    )
}

// ---- mistakes ----

fn all_mistakes(rubric: &Rubric) -> String {
    let name = rubric.practical.name;
    let mut text = format!("{BOLD}The mistakes that {name} knows{BOLD:#}\n");
    let mut program = None;
    let mut elsewhere: Vec<(&str, Vec<&str>)> = Vec::new();
    for explanation in &rubric.explanations.mistake {
        if let Some(from) = explanation.from {
            match elsewhere.iter_mut().find(|(practical, _)| *practical == from) {
                Some((_, ids)) => ids.push(&explanation.id),
                None => elsewhere.push((from, vec![&explanation.id])),
            }
            continue;
        }
        let of = program_of(rubric.practical, explanation);
        if of != program {
            text += &of.map(|of| heading(&format!("The {of} …"))).unwrap_or_default();
            program = of;
        }
        text += &one_line(explanation);
    }
    for (practical, ids) in elsewhere {
        text += &format!("\n{}", wrap(&format!("As in {practical}: {}", ids.join(", ")), 0));
    }
    text + "\nMore of one: cargo xtask explain MISTAKE\n"
}

fn one_line(explanation: &Explanation) -> String {
    format!("  {:<26}  {}\n", explanation.id, explanation.does)
}

/// Returns the program that makes this mistake: the one that the failing checks start.
fn program_of(practical: &Practical, explanation: &Explanation) -> Option<&'static str> {
    let first = explanation.fails.first()?;
    practical.checks().find(|check| check.id == *first)?.programs.first().copied()
}

fn mistake(rubric: &Rubric, explanation: &Explanation) -> String {
    let program = program_of(rubric.practical, explanation).unwrap_or("program");
    let mut text = format!("{BOLD}{}{BOLD:#}: a mistake in the {program}\n\n", explanation.id);
    text += &wrap(&format!("The {program} {}.", explanation.does), 2);
    if !explanation.wire.is_empty() {
        text += &match explanation.wire.contains(['→', '←']) {
            true => heading(&format!("On the wire {DIM}(→ to the {program}, ← from it){DIM:#}")),
            false => heading("Seen from outside"),
        };
        text += &verbatim(&explanation.wire, 4);
    }
    text += &code(explanation);
    if !explanation.locally.is_empty() {
        text += &heading("Why it works on your own machine");
        text += &wrap(&explanation.locally, 2);
    }
    text += &heading("How to mend it");
    text += &wrap(&format!("{} {}", explanation.r#try, explanation.idea), 2);
    if !explanation.read.is_empty() {
        text += &heading("Where to read on");
        text += &explanation.read.iter().map(|place| item("-", place)).collect::<String>();
    }
    if !explanation.fails.is_empty() {
        text += &heading("Checks that fail for it");
        text += &explanation.fails.iter().map(|id| format!("  {id}\n")).collect::<String>();
    }
    text
}

fn code(explanation: &Explanation) -> String {
    let snippets: Vec<String> = explanation
        .code
        .named()
        .map(|(language, code)| format!("  {DIM}{language}{DIM:#}\n{}", verbatim(code, 4)))
        .collect();
    if snippets.is_empty() {
        return String::new();
    }
    heading(&format!("In code {DIM}(the mistake, not the way out){DIM:#}")) + &snippets.join("\n")
}

// ---- shapes ----

fn heading(words: &str) -> String {
    format!("\n{BOLD}{words}{BOLD:#}\n")
}

/// Indents text and changes nothing else.
fn verbatim(text: &str, indent: usize) -> String {
    text.lines()
        .map(|line| format!("{}{line}", " ".repeat(indent)).trim_end().to_owned() + "\n")
        .collect()
}

/// Returns a list item: a sign, and wrapped text beside it.
fn item(sign: &str, text: &str) -> String {
    let indent = 2 + sign.len() + 1;
    format!("  {sign} {}", wrap(text, indent).trim_start())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::columns;
    use crate::explanations;
    use crate::terminal::WIDTH;

    fn echo() -> Rubric {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../practicals/echo");
        let practical = suite::practical("echo").unwrap();
        rubric::read_from(practical, &folder, "practicals/echo/rubric.toml").unwrap()
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[track_caller]
    fn fits(text: &str) {
        let wide = plain(text).lines().find(|line| columns::of(line) > WIDTH).map(str::to_owned);
        assert_eq!(wide, None);
    }

    #[test]
    fn a_mistake_reads_like_this() {
        let text = plain(&explain(&echo(), "reads_once").unwrap());
        assert_eq!(text, include_str!("explain_snapshot.txt"), "\n{text}");
    }

    #[test]
    fn every_mistake_fits_the_width_and_has_every_part() {
        const PARTS: [&str; 5] =
            ["In code", "Why it works", "How to mend it", "Where to read on", "Checks that fail"];
        let rubric = echo();
        for row in &rubric.explanations.mistake {
            let text = plain(&mistake(&rubric, row));
            fits(&text);
            let talks = row.wire.contains(['→', '←']);
            for part in
                PARTS.into_iter().chain([if talks { "On the wire" } else { "Seen from outside" }])
            {
                let after = text
                    .split_once(&format!("\n\n{part}"))
                    .unwrap_or_else(|| panic!("{}: {part}", row.id))
                    .1;
                let first = after.lines().nth(1).unwrap_or_default();
                assert!(
                    first.starts_with("  ") && !first.trim().is_empty(),
                    "{}: {part} is empty",
                    row.id
                );
            }
        }
    }

    #[test]
    fn code_and_conversation_stand_as_they_are_written() {
        let rubric = echo();
        for row in &rubric.explanations.mistake {
            let text = plain(&mistake(&rubric, row));
            for line in row.wire.lines().chain(row.code.named().flat_map(|(_, code)| code.lines()))
            {
                assert!(
                    text.contains(&format!("\n    {line}").trim_end().to_owned()),
                    "{}: {line}",
                    row.id
                );
            }
        }
    }

    #[test]
    fn every_mistake_has_its_line_in_the_list() {
        let rubric = echo();
        let text = all_mistakes(&rubric);
        fits(&text);
        let lines = |id: &str| {
            text.lines().filter(|line| line.split_whitespace().next() == Some(id)).count()
        };
        assert!(rubric.explanations.mistake.iter().all(|row| lines(&row.id) == 1));
    }

    #[test]
    fn every_check_fits_and_lists_the_mistakes_that_fail_it() {
        let rubric = echo();
        for row in &rubric.checks {
            let text = check(&rubric, row);
            fits(&text);
            for mistake in rubric.explanations.failing(row.check.id) {
                assert!(text.contains(&one_line(mistake)), "{}: {}", row.check.id, mistake.id);
            }
        }
        assert!(check(&rubric, rubric.row("survives_reset").unwrap()).contains("dies_on_reset"));
    }

    #[test]
    fn what_is_not_written_yet_has_no_heading() {
        let mut rubric = echo();
        let bare = explanations::Explanation {
            wire: String::new(),
            code: explanations::Snippets::default(),
            locally: String::new(),
            read: Vec::new(),
            fails: Vec::new(),
            ..rubric.explanations.mistake.remove(0)
        };
        let headings = |text: &str| {
            text.lines().filter(|line| !line.is_empty() && !line.starts_with(' ')).count()
        };
        assert_eq!(headings(&plain(&mistake(&rubric, &bare))), 2);
    }
}
