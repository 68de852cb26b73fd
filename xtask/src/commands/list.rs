//! `list`: the practicals, their checks and points.

use crate::exit::PASSED;
use crate::rubric::{self, Row, Rubric};
use crate::{repository, terminal};

pub(crate) fn run() -> anyhow::Result<u8> {
    let repository = repository::find()?;
    let mut text = String::new();
    for practical in suite::PRACTICALS {
        text += &lines(&rubric::read(&repository, practical.name)?);
    }
    terminal::print(&text)?;
    Ok(PASSED)
}

fn lines(rubric: &Rubric) -> String {
    let Rubric { practical, title, session, branch, pass_mark, .. } = rubric;
    let name = practical.name;
    let head =
        format!("{name}: {title} (session {session}, branch {branch}, {pass_mark} to pass)\n");
    let rows =
        rubric.checks.iter().filter(|row| !row.hidden).map(|Row { check, points, .. }| {
            let programs = check.programs.join(", ");
            format!("  {:<10} {:<32} {points:>3}  {programs}\n", check.group, check.id)
        });
    head + &rows.collect::<String>()
}
