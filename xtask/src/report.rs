//! Reports: each a pure function of one [`Grade`]. A new format is a file below and a line in [`FORMATS`].

pub(crate) mod human;
mod json;

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};

use crate::cli::GradeRequest;
use crate::grade::Grade;
use crate::terminal;

/// A whole report, line end included.
type Render = fn(&Grade) -> String;

/// The formats that `--report` knows.
const FORMATS: &[(&str, Render)] = &[("json", json::render)];

/// Finds out before anything is graded whether the reports have a place to go to.
pub(crate) fn check_places(request: &GradeRequest) -> anyhow::Result<()> {
    for file in request.reports.iter().filter_map(|report| report.file.as_ref()) {
        if file.is_dir() || !folder_of(file).is_dir() {
            bail!("--report …={}: there is no folder for such a file", file.display());
        }
    }
    Ok(())
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes every report that was asked for, and the one for people.
pub(crate) fn write_all(grade: &Grade, request: &GradeRequest) -> anyhow::Result<()> {
    let mut to_stdout = None;
    for report in &request.reports {
        let (_, render) =
            FORMATS.iter().find(|(name, _)| *name == report.format).context("a format without a report")?;
        match &report.file {
            Some(file) => {
                write(file, &render(grade)).with_context(|| format!("--report {}={}", report.format, file.display()))?
            }
            None => to_stdout = Some(render(grade)),
        }
    }
    match to_stdout {
        Some(report) => {
            anstream::eprint!("{}", human::render(grade));
            std::io::stdout().write_all(report.as_bytes()).context("stdout")
        }
        None => terminal::print(&human::render(grade)),
    }
}

/// In one step: nobody ever reads half a report.
fn write(file: &Path, report: &str) -> anyhow::Result<()> {
    let mut new = tempfile::NamedTempFile::new_in(folder_of(file))?;
    new.write_all(report.as_bytes())?;
    let written = new.persist(file)?;
    readable_by_all(&written)
}

/// A temporary file is its maker's alone; a report is a file like any other.
#[cfg(unix)]
fn readable_by_all(file: &std::fs::File) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.set_permissions(std::fs::Permissions::from_mode(0o644))?)
}

#[cfg(not(unix))]
fn readable_by_all(_file: &std::fs::File) -> anyhow::Result<()> {
    Ok(())
}
