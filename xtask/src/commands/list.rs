//! `list`: the practicals, their checks and points.

use std::fmt::Write;

use crate::exit::PASSED;
use crate::{repository, rubric, terminal};

pub(crate) fn run() -> anyhow::Result<u8> {
    let repository = repository::find()?;
    let mut out = String::new();
    for practical in suite::PRACTICALS {
        let rubric = rubric::read(&repository, practical.name)?;
        writeln!(
            out,
            "{}: {} (session {}, branch {}, {} to pass)",
            practical.name, rubric.title, rubric.session, rubric.branch, rubric.pass_mark
        )?;
        for row in rubric.checks.iter().filter(|row| !row.hidden) {
            writeln!(
                out,
                "  {:<10} {:<32} {:>3}  {}",
                row.check.group,
                row.check.id,
                row.points,
                row.check.programs.join(", ")
            )?;
        }
    }
    terminal::print(&out)?;
    Ok(PASSED)
}
