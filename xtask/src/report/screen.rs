//! The report on a terminal: one line for each group, and then what to do next, whole and last, so
//! that it is what one sees. `--all`, and whatever is no terminal, get all of it ([`human`]).

use suite::{Status, Tier};

use crate::columns;
use crate::grade::{GradedRow, Grading, Next, Points};
use crate::plural::count;
use crate::report::human::{self, paint, spread, wrap};
use crate::report::plain;
use crate::terminal::{BOLD, DIM, GREEN, RED, YELLOW};

/// Returns the report.
pub(crate) fn render(grading: &Grading) -> String {
    let title =
        spread(&paint(BOLD, &plain::line(&grading.title)), &format!("seed {}", grading.seed));
    let mut text = format!("{title}\n{}{}", groups(grading), human::score(grading));
    text += &grading.since.as_ref().map_or_else(String::new, |since| wrap(&since.words(), 0));
    text += &premises(grading);
    text += &faults(grading);
    let next = grading.next();
    text += &others(grading, next.as_ref());
    text + &match next {
        Some(next) => format!("\n{}", what_next(grading, &next)),
        None => done(grading),
    }
}

/// Returns a line for each group.
fn groups(grading: &Grading) -> String {
    let groups = grading.groups();
    let longest = groups.iter().map(|(group, _)| columns::of(group)).max().unwrap_or_default();
    let line = |(group, rows): &(&str, Vec<&GradedRow>)| {
        let points = Points::of(rows.iter().copied());
        let has_failed = |row: &&GradedRow| matches!(row.verdict.status, Status::Failed(_));
        let (style, mark) = match points.lost() {
            _ if rows.iter().any(|row| is_fault(row)) => (RED, "!"),
            0 => (GREEN, "✓"),
            _ if rows.iter().any(has_failed) => (RED, "✗"),
            _ => (YELLOW, "–"),
        };
        let (mark, points) = (paint(style, mark), points.to_string());
        format!("  {mark} {group:<longest$} {points:>7}   {}\n", human::counted(rows))
    };
    groups.iter().map(line).collect()
}

/// Returns what the grading took for granted, as far as it differs from the usual: the confinement
/// where it is less than full or somebody else's program was graded, and what was left out.
fn premises(grading: &Grading) -> String {
    let usual = Tier::Namespaces.to_string();
    let is_full = grading.confinement.first() == Some(&usual)
        && !grading.confinement.iter().any(|line| line.starts_with("not active"));
    let notes = grading.notes.iter().map(|note| wrap(&format!("Submission: {note}."), 0));
    let mut text: String = notes.collect();
    if !is_full || grading.is_submission {
        let tier = grading.confinement.first().map_or("none", |tier| tier);
        text += &paint(DIM, &wrap(&format!("Confinement: {tier} (--all says more)."), 0));
    }
    text
}

/// Returns the checks that could not be decided.
fn faults(grading: &Grading) -> String {
    let faults = grading.rows.iter().filter(|row| is_fault(row));
    faults.map(|row| human::check(grading, row)).collect()
}

fn is_fault(row: &GradedRow) -> bool {
    matches!(row.verdict.status, Status::Fault(_))
}

/// Returns the other failures, each with the command that shows it.
fn others(grading: &Grading, next: Option<&Next<'_>>) -> String {
    let first = next.and_then(|next| first_row(grading, next)).map(|row| row.verdict.check);
    let is_other = |row: &&GradedRow| {
        matches!(row.verdict.status, Status::Failed(_)) && Some(row.verdict.check) != first
    };
    let others: Vec<&GradedRow> = grading.rows.iter().filter(is_other).collect();
    let longest = others.iter().map(|row| row.verdict.check.len()).max().unwrap_or_default();
    let line = |row: &&GradedRow| {
        let id = row.verdict.check;
        let command = match grading.hides(row) {
            true => plain::HIDDEN.to_owned(),
            false => plain::line(&format!("{} --only {id}", grading.command)),
        };
        format!("  {} {id:<longest$}  {command}\n", paint(RED, "✗"))
    };
    let lines: String = others.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\n{}\n{lines}", paint(BOLD, "Also failed")) }
}

/// Returns the failed check that is told whole.
fn first_row<'a>(grading: &'a Grading, next: &Next<'a>) -> Option<&'a GradedRow> {
    match next {
        Next::Build(_) => None,
        Next::Step(row) | Next::Check(row) => Some(row),
        Next::Mistake(mistake) => grading
            .rows
            .iter()
            .find(|row| mistake.checks.contains(&row.verdict.check) && !grading.hides(row)),
    }
}

/// Returns the first thing to do.
fn what_next(grading: &Grading, next: &Next<'_>) -> String {
    let heading = |what: &str| format!("{}\n", paint(BOLD, what));
    let row = first_row(grading, next);
    let whole = row.map_or_else(String::new, |row| human::check_with(grading, row, "above"));
    let whole = whole.trim_end().to_owned() + "\n";
    let what = plain::line(&plain::next(grading, next));
    match next {
        Next::Build(unbuilt) => {
            let wait = grading.rows.iter().filter(|row| row.verdict.status == Status::Unbuilt);
            let wait = format!("{} for it", waits(wait.count()));
            heading(&format!("Next: {what} {wait}.")) + human::unbuilt(unbuilt).trim_end() + "\n"
        }
        Next::Step(row) => {
            let step = wrap(&format!("Next: {what}"), 0);
            finished(grading, row) + &paint(BOLD, step.trim_end()) + "\n"
        }
        Next::Mistake(mistake) => heading("Next") + human::named(mistake).trim_start() + &whole,
        Next::Check(row) => finished(grading, row) + &heading("Next") + &whole,
    }
}

fn waits(checks: usize) -> String {
    format!("{} {}", count(checks, "check"), if checks == 1 { "waits" } else { "wait" })
}

/// Says that a program is finished, if the first thing to do is about another one.
fn finished(grading: &Grading, next: &GradedRow) -> String {
    let is_finished = |program: &str| {
        let mut own = grading.rows.iter().filter(|row| row.program == program);
        program != next.program && own.all(|row| row.verdict.status == Status::Passed)
    };
    let mut programs = grading.rows.iter().map(|row| row.program);
    let finished = programs.find(|program| is_finished(program));
    finished.map_or_else(String::new, |program| {
        wrap(&format!("{program} passes all of its checks; {} is next.", next.program), 0)
    })
}

/// Returns what to do when every check has passed.
fn done(grading: &Grading) -> String {
    let all_passed = grading.rows.iter().all(|row| row.verdict.status == Status::Passed);
    if !all_passed || grading.rows.is_empty() {
        return String::new();
    }
    let all = format!("\n{}\n", paint(GREEN.bold(), "All checks pass."));
    match &grading.hand_in {
        Some(branch) => all + &hand_in(grading, branch),
        None => all,
    }
}

/// Returns the commands that hand in a practical.
fn hand_in(grading: &Grading, branch: &str) -> String {
    let folder = format!("practicals/{}", grading.practical);
    format!(
        "Hand it in on the branch {branch}:\n      git switch -c {branch}\n      git add {folder}\n      \
         git commit -m \"Finish the {} practical\"\n      git push -u origin {branch}\n",
        grading.practical
    )
}
