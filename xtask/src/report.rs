//! Reports: each a pure function of one [`Grade`]. A new format is a file below and a line in [`FORMATS`].

mod conversation;
#[cfg_attr(not(test), allow(dead_code, reason = "the report as a page will draw it"))]
pub(crate) mod diagram;
mod hexdump;
pub(crate) mod human;
mod json;
mod pcapng;
#[cfg(test)]
mod real;

use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, bail};

use crate::cli::GradeRequest;
use crate::grade::Grade;
use crate::terminal;

/// A whole report, line end included.
type Render = fn(&Grade) -> String;

/// A report that is no text.
type RenderBytes = fn(&Grade) -> Vec<u8>;

/// The formats that `--report` knows.
const FORMATS: &[(&str, Render)] = &[("json", json::render)];

/// Those that are no text.
const BINARY: &[(&str, RenderBytes)] = &[("pcapng", pcapng::render)];

/// Finds out before anything is graded whether the reports have a place to go to.
pub(crate) fn check_places(request: &GradeRequest) -> anyhow::Result<()> {
    let to_stdout = request.reports.iter().find(|report| report.file.is_none());
    if let Some(report) = to_stdout.filter(|report| is_binary(&report.format) && std::io::stdout().is_terminal()) {
        bail!("--report {0} is not text, and stdout is a terminal: write --report {0}=FILE", report.format);
    }
    for file in request.reports.iter().filter_map(|report| report.file.as_ref()) {
        if file.is_dir() || !folder_of(file).is_dir() {
            bail!("--report …={}: there is no folder for such a file", file.display());
        }
    }
    Ok(())
}

fn is_binary(format: &str) -> bool {
    BINARY.iter().any(|(name, _)| *name == format)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes every report that was asked for, and the one for people.
pub(crate) fn write_all(grade: &Grade, request: &GradeRequest) -> anyhow::Result<()> {
    let mut to_stdout = None;
    for report in &request.reports {
        let rendered = render(grade, &report.format).context("a format without a report")?;
        match &report.file {
            Some(file) => {
                write(file, &rendered).with_context(|| format!("--report {}={}", report.format, file.display()))?
            }
            None => to_stdout = Some(rendered),
        }
    }
    match to_stdout {
        Some(report) => {
            anstream::eprint!("{}", human::render(grade));
            std::io::stdout().write_all(&report).context("stdout")
        }
        None => terminal::print(&human::render(grade)),
    }
}

/// How many of these bytes can be shown in so many columns.
fn fitting(bytes: &[u8], columns: usize) -> usize {
    let widths = bytes.iter().map(|byte| byte.escape_ascii().len());
    let ends = widths.scan(0, |end, width| {
        *end += width;
        Some(*end)
    });
    ends.take_while(|end| *end <= columns).count()
}

fn render(grade: &Grade, format: &str) -> Option<Vec<u8>> {
    let text = FORMATS.iter().find(|(name, _)| *name == format).map(|(_, render)| render(grade).into_bytes());
    text.or_else(|| BINARY.iter().find(|(name, _)| *name == format).map(|(_, render)| render(grade)))
}

/// In one step: nobody ever reads half a report.
fn write(file: &Path, report: &[u8]) -> anyhow::Result<()> {
    let mut new = tempfile::NamedTempFile::new_in(folder_of(file))?;
    new.write_all(report)?;
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
