//! The verdict as one page without scripts and external files, light or dark as the reader prefers.
//! Text from programs and students is escaped in one place, and the page's policy forbids scripts.

use suite::{Failure, Status};

use super::{diagram, plain, said};
use crate::explanations::NamedMistake;
use crate::grade::{Grade, GradedRow, Grading, NoGrade, Points};

pub(super) const STYLE: &str = include_str!("html.css");

pub(super) fn render(grading: &Grading) -> String {
    let (title, body) = match &grading.outcome {
        Ok(grade) => graded(grading, grade),
        Err(NoGrade(fault)) => no_grade(grading, fault),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

fn no_grade(grading: &Grading, fault: &str) -> (String, String) {
    let title = format!("{}: no grade", escape(&plain::line(&grading.title)));
    let said = "This costs no point; please tell your instructor. The grader could not find out:";
    let body = format!(
        "<main>\n<h1>{title}</h1>\n<p class=\"fault\">{said}</p>\n{}<p>Again: <code>{}</code></p>\n</main>\n",
        block("what happened", &plain::line(fault)),
        again(grading)
    );
    (title, body)
}

fn graded(grading: &Grading, grade: &Grade) -> (String, String) {
    let name = escape(&plain::line(&grading.title));
    let title = format!("{name}: {} points", grade.points);
    let body = format!(
        "<a class=\"skip\" href=\"#checks\">To the checks</a>\n<header>\n<h1>{name}</h1>\n{}{}</header>\n<main>\n{}{}{}</main>\n{}",
        verdict(grading, grade),
        groups(grading),
        mistakes(grading),
        compile_errors(grading),
        checks(grading),
        footer(grading)
    );
    (title, body)
}

// ---- the verdict ----

fn verdict(grading: &Grading, grade: &Grade) -> String {
    let (class, word) =
        if grade.passed() { ("passed", "passed") } else { ("failed", "not passed yet") };
    let next = grading.next().map_or_else(String::new, |next| {
        let more = plain::explained_by(&next)
            .map_or_else(String::new, |command| format!(" <code>{command}</code>"));
        format!("<p>Next: {}{more}</p>\n", prose(&plain::next(grading, &next)))
    });
    format!(
        "<p class=\"score {class}\">{} points: {word}</p>\n<p>The pass mark is {} of 100.</p>\n{next}",
        grade.points, grade.pass_mark
    )
}

fn groups(grading: &Grading) -> String {
    let row = |(group, rows): (&str, Vec<&GradedRow>)| {
        let counted: Vec<_> = rows.into_iter().filter(|row| row.counts()).collect();
        let points = Points::of(counted.iter().copied());
        let passed = counted.iter().filter(|row| row.verdict.status == Status::Passed).count();
        let link = format!("<a href=\"#group-{group}\">{group}</a>");
        format!(
            "<tr><th scope=\"row\">{link}</th><td>{points}</td><td>{passed}/{}</td></tr>\n",
            counted.len()
        )
    };
    let head = "<tr><th scope=\"col\">Group</th><th scope=\"col\">Points</th><th scope=\"col\">Passed</th></tr>";
    let rows: String = grading.groups().into_iter().map(row).collect();
    format!("<table>\n<thead>\n{head}\n</thead>\n<tbody>\n{rows}</tbody>\n</table>\n")
}

fn footer(grading: &Grading) -> String {
    let premises = plain::premises(grading);
    let premises: String =
        premises.iter().map(|line| format!("<p>{}</p>\n", escape(line))).collect();
    format!(
        "<footer>\n<p>Graded: <code>{}</code>, seed {}, in {:.2} s.</p>\n{premises}<p>Again: <code>{}</code></p>\n</footer>\n",
        escape(&plain::line(&grading.submission)),
        grading.seed,
        grading.duration.as_secs_f64(),
        again(grading)
    )
}

fn again(grading: &Grading) -> String {
    escape(&format!("{} --seed {}", plain::line(&grading.command), grading.seed))
}

// ---- mistakes ----

fn mistakes(grading: &Grading) -> String {
    let mistakes = grading.mistakes_to_tell();
    if mistakes.is_empty() {
        return String::new();
    }
    format!("<h2>What it looks like</h2>\n{}", mistakes.iter().map(mistake).collect::<String>())
}

fn mistake(mistake: &NamedMistake) -> String {
    let links: Vec<String> =
        mistake.checks.iter().map(|id| format!("<a href=\"#{id}\">{id}</a>")).collect();
    let rows = [
        ("because", escape(&plain::line(&mistake.because))),
        ("try", prose(&mistake.r#try)),
        ("explains", links.join(", ")),
    ];
    format!(
        "<section class=\"mistake\" id=\"mistake-{0}\" aria-labelledby=\"{0}-name\">\n<h3 id=\"{0}-name\">{0}</h3>\n<p>{1}</p>\n{2}{3}</section>\n",
        mistake.id,
        prose(&mistake.says),
        pairs(&rows),
        explained(mistake)
    )
}

fn explained(mistake: &NamedMistake) -> String {
    let more = &mistake.explanation;
    let section = |heading: &str, body: String| {
        if body.is_empty() { body } else { format!("<h4>{heading}</h4>\n{body}") }
    };
    let paragraph = |text: &str| {
        if text.is_empty() { String::new() } else { format!("<p>{}</p>\n", prose(text)) }
    };
    let code = more.code.named().map(|(language, code)| {
        format!(
            "<p>{language}</p>\n{}",
            block(&format!("the mistake {} in {language}", mistake.id), code)
        )
    });
    let read: String =
        more.read.iter().map(|place| format!("<li>{}</li>\n", prose(place))).collect();
    let wire = if more.wire.is_empty() {
        String::new()
    } else {
        block(&format!("{} on the wire", mistake.id), &more.wire)
    };
    let body = section("On the wire (→ to the program, ← from it)", wire)
        + &section("In code (the mistake, not the way out)", code.collect())
        + &section("Why it works on your own machine", paragraph(&more.locally))
        + &section("How to mend it", paragraph(&more.idea))
        + &section(
            "Where to read on",
            if read.is_empty() { read } else { format!("<ul>\n{read}</ul>\n") },
        );
    if body.is_empty() {
        return body;
    }
    format!("<details>\n<summary>{} explained</summary>\n{body}</details>\n", mistake.id)
}

// ---- the checks ----

fn compile_errors(grading: &Grading) -> String {
    if grading.unbuilt.is_empty() {
        return String::new();
    }
    format!(
        "<h2>What could not be built</h2>\n{}",
        block("the compiler's errors", &plain::compile_errors(grading))
    )
}

fn checks(grading: &Grading) -> String {
    let first = grading.rows.iter().find(|row| matches!(row.verdict.status, Status::Failed(_)));
    let first = first.map(|row| row.verdict.check);
    let groups = grading.groups().into_iter().map(|(group, rows)| {
        let rows =
            rows.into_iter().map(|row| check(grading, row, first == Some(row.verdict.check)));
        format!("<h3 id=\"group-{group}\">{group}</h3>\n{}", rows.collect::<String>())
    });
    format!("<h2 id=\"checks\">Checks</h2>\n{}", groups.collect::<String>())
}

fn check(grading: &Grading, row: &GradedRow, open: bool) -> String {
    let id = row.verdict.check;
    let status = plain::status(&row.verdict.status);
    let sign = match row.verdict.status {
        Status::Passed => '✓',
        Status::Failed(_) | Status::Unbuilt => '✗',
        _ => '–',
    };
    let open = if open { " open" } else { "" };
    format!(
        "<details id=\"{id}\"{open}>\n<summary><span class=\"word {status}\"><span aria-hidden=\"true\">{sign}</span> {status}</span> \
         <code>{id}</code> <span class=\"points\">{}/{}</span></summary>\n{}</details>\n",
        row.points(),
        row.max_points,
        evidence(grading, row)
    )
}

fn evidence(grading: &Grading, row: &GradedRow) -> String {
    if grading.hides(row) {
        return format!("<p>{}</p>\n", plain::HIDDEN);
    }
    let claim = format!("<p>{}</p>\n", prose(&row.claim));
    match &row.verdict.status {
        Status::Failed(failure) => claim + &failed(grading, row, failure),
        _ => claim + &message(grading, row),
    }
}

fn message(grading: &Grading, row: &GradedRow) -> String {
    let given = row.given.clone().filter(|_| row.verdict.status == Status::Passed);
    let said = plain::message(grading, row).or(given);
    said.map_or_else(String::new, |said| format!("<p>{}</p>\n", escape(&said)))
}

fn failed(grading: &Grading, row: &GradedRow, failure: &Failure) -> String {
    let verdict = &row.verdict;
    let mut rows: Vec<(&str, String)> = plain::facts(grading, row, failure)
        .into_iter()
        .map(|(label, fact)| (label, escape(&fact)))
        .collect();
    match grading.mistake_of(verdict.check) {
        Some(mistake) => {
            rows.push(("mistake", format!("<a href=\"#mistake-{0}\">{0}</a>", mistake.id)))
        }
        None => {
            rows.extend(row.hints.iter().take(grading.hint_steps).map(|hint| ("try", prose(hint))))
        }
    }
    rows.push((
        "again",
        format!("<code>{}</code>", escape(&plain::line(&grading.again(verdict.check)))),
    ));
    if failure.unwritten().is_some() {
        return pairs(&rows);
    }
    let difference = match plain::difference(verdict, failure) {
        none if none.is_empty() => none,
        some => block(&format!("{}: the bytes", verdict.check), &some),
    };
    let stderr = match said::stderr(&verdict.stderr_tail) {
        none if none.is_empty() => String::new(),
        some => format!(
            "<h4>The end of its standard error</h4>\n{}",
            block(&format!("{}: standard error", verdict.check), &some.join("\n"))
        ),
    };
    pairs(&rows) + &picture(grading, row) + &difference + &stderr
}

/// Returns the conversation, drawn and in words.
fn picture(grading: &Grading, row: &GradedRow) -> String {
    let is_answer = grading.is_answer();
    let id = row.verdict.check;
    match diagram::svg(&row.verdict, &is_answer) {
        none if none.is_empty() => none,
        svg => format!(
            "{}<details>\n<summary>The conversation in words</summary>\n{}</details>\n",
            scrolls(&format!("{id}: the conversation"), svg.trim_end()),
            block(
                &format!("{id}: the conversation in words"),
                &diagram::text(&row.verdict, &is_answer)
            )
        ),
    }
}

// ---- shapes ----

fn pairs(rows: &[(&str, String)]) -> String {
    let rows = rows.iter().map(|(label, html)| format!("<dt>{label}</dt><dd>{html}</dd>\n"));
    format!("<dl>\n{}</dl>\n", rows.collect::<String>())
}

/// Returns preformatted text.
fn block(label: &str, text: &str) -> String {
    let text = text.trim_end().trim_start_matches('\n');
    scrolls(label, &format!("<pre>{}</pre>", escape(text)))
}

/// Puts wide content into a box that scrolls and that the keyboard reaches.
fn scrolls(label: &str, html: &str) -> String {
    format!(
        "<div class=\"scrolls\" role=\"group\" tabindex=\"0\" aria-label=\"{}\">{html}</div>\n",
        escape(label)
    )
}

/// Returns a sentence of the course, with text between backticks as code.
fn prose(text: &str) -> String {
    let parts = escape(text);
    let parts = parts.split('`').enumerate();
    parts
        .map(
            |(at, part)| if at % 2 == 0 { part.to_owned() } else { format!("<code>{part}</code>") },
        )
        .collect()
}

/// Escapes text: all text of the page comes through here.
fn escape(text: &str) -> String {
    let escaped = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        c => c.to_string(),
    };
    plain::clean(text).chars().map(escaped).collect()
}
