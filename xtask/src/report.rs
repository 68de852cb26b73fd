//! Reports: each a pure function of one [`Grading`]. A new format is a file below and a line in
//! [`FORMATS`].
//!
//! A grading without a grade is an error in every format, never a number of points. A format that
//! cannot express this renders nothing, and nothing is written.

mod autolab;
mod classroom50;
mod conversation;
mod ctrf;
mod diagram;
mod github;
mod github_classroom;
mod gradescope;
mod hexdump;
mod html;
pub(crate) mod human;
mod json;
#[cfg(feature = "full")]
mod junit;
mod markdown;
#[cfg(all(test, feature = "full"))]
mod page;
#[cfg(feature = "full")]
mod pcapng;
mod plain;
mod prairielearn;
#[cfg(test)]
pub(crate) mod real;
mod refused;
mod said;
#[cfg(all(test, feature = "full"))]
mod sample;
mod screen;
pub(crate) mod steps;
mod stuck;
#[cfg(all(test, feature = "full"))]
mod tests;

use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, bail};
use serde::Serialize;
use suite::{Event, show};

use crate::exit;
use crate::files;
use crate::grade::Grading;
use crate::request::{GradeRequest, Report};
use crate::surroundings::Surroundings;
use crate::{terminal, visible};

use Render::{Bytes, Text};

type RenderText = fn(&Grading) -> String;

/// Renders a whole report with its line end.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(feature = "full"),
    allow(dead_code, reason = "the capture is the only format that is no text")
)]
enum Render {
    Text(RenderText),
    Bytes(fn(&Grading) -> Vec<u8>),
}

/// The formats that `--report` knows.
const FORMATS: &[(&str, Render)] = &[
    ("json", Text(json::render)),
    #[cfg(feature = "full")]
    ("junit", Text(junit::render)),
    ("gradescope", Text(gradescope::render)),
    ("classroom50", Text(classroom50::render)),
    ("github-classroom", Text(github_classroom::render)),
    ("github", Text(github::render)),
    ("markdown", Text(markdown::render)),
    ("html", Text(html::render)),
    ("ctrf", Text(ctrf::render)),
    ("prairielearn", Text(prairielearn::render)),
    ("autolab", Text(autolab::render)),
    #[cfg(feature = "full")]
    ("pcapng", Bytes(pcapng::render)),
];

/// The formats that only the full build has.
pub(crate) const ONLY_FULL: [&str; 2] = ["junit", "pcapng"];

/// Returns the names of all formats.
pub(crate) fn formats() -> Vec<&'static str> {
    let elsewhere = ONLY_FULL.iter().filter(|_| !cfg!(feature = "full"));
    FORMATS.iter().map(|(name, _)| name).chain(elsewhere).copied().collect()
}

/// What a format also appends to a file that GitHub's environment names.
const ASIDE: &[(&str, RenderText, File)] = &[
    (
        "github",
        github::summary,
        ("GITHUB_STEP_SUMMARY", |surroundings| surroundings.step_summary.as_deref()),
    ),
    (
        "github-classroom",
        github_classroom::render,
        ("GITHUB_OUTPUT", |surroundings| surroundings.step_output.as_deref()),
    ),
];

impl Render {
    fn bytes(self, grading: &Grading) -> Vec<u8> {
        match self {
            Text(render) => render(grading).into_bytes(),
            Bytes(render) => render(grading),
        }
    }
}

type File = (&'static str, fn(&Surroundings) -> Option<&Path>);

/// Where the reports go.
pub(crate) struct Places<'a> {
    reports: Vec<Place<'a>>,
    /// A terminal gets the whole report, too.
    all: bool,
}

struct Place<'a> {
    report: &'a Report,
    render: Render,
    /// The file existed before and may hold an earlier grade.
    was_there: bool,
}

/// Checks before the grading that every report can be written. From then on Gradescope finds a
/// file, even if this process is killed or another report cannot be written.
pub(crate) fn places(request: &GradeRequest) -> anyhow::Result<Places<'_>> {
    let reports = request.reports.iter().map(place).collect::<anyhow::Result<Vec<_>>>()?;
    if let Some(place) = reports.iter().find(|place| place.spoils_a_terminal()) {
        bail!(
            "--report {0} is not text, and stdout is a terminal: write --report {0}=FILE",
            place.report.format
        );
    }
    for place in reports.iter().filter(|place| place.obstacle().is_none()) {
        place.promise()?;
    }
    if let Some((place, obstacle)) =
        reports.iter().find_map(|place| Some((place, place.obstacle()?)))
    {
        bail!("{}: {obstacle}", place.name());
    }
    Ok(Places { reports, all: request.all })
}

fn place(report: &Report) -> anyhow::Result<Place<'_>> {
    let format = FORMATS.iter().find(|(name, _)| *name == report.format);
    let (_, render) = format.context("a format without a report")?;
    Ok(Place {
        report,
        render: *render,
        was_there: report.file.as_ref().is_some_and(|file| file.exists()),
    })
}

impl Place<'_> {
    fn file(&self) -> Option<&Path> {
        self.report.file.as_deref()
    }

    /// Returns why the report cannot be written there.
    fn obstacle(&self) -> Option<&'static str> {
        let file = self.file()?;
        match files::folder_of(file).is_dir() {
            true if file.is_dir() => Some("that is a folder, and not a file in it"),
            true => None,
            false => Some("there is no such folder"),
        }
    }

    fn spoils_a_terminal(&self) -> bool {
        self.file().is_none() && matches!(self.render, Bytes(_)) && std::io::stdout().is_terminal()
    }

    fn promise(&self) -> anyhow::Result<()> {
        match self.file() {
            Some(file) if self.report.format == "gradescope" && !self.was_there => {
                files::write(file, gradescope::unfinished().as_bytes()).with_context(|| self.name())
            }
            _ => Ok(()),
        }
    }

    fn name(&self) -> String {
        match self.file() {
            Some(file) => format!("--report {}={}", self.report.format, file.display()),
            None => format!("--report {}", self.report.format),
        }
    }

    /// Writes the report into its file. A grading without a grade never overwrites an earlier
    /// grade.
    fn write(&self, grading: &Grading, file: &Path) -> anyhow::Result<()> {
        let report = self.render.bytes(grading);
        if grading.outcome.is_err() && self.was_there {
            let file = visible::line(&file.display().to_string());
            let said = format!("{file} is left as it was: this grading ended without a grade");
            warn(&said, &grading.surroundings);
            return Ok(());
        }
        if report.is_empty() {
            let why = "nothing is written: this format cannot say that there is no grade";
            let said = format!("{}: {why}", visible::line(&self.name()));
            warn(&said, &grading.surroundings);
            return Ok(());
        }
        files::write(file, &report).with_context(|| self.name())
    }

    fn write_aside(&self, grading: &Grading) -> anyhow::Result<()> {
        for (_, render, (variable, file)) in
            ASIDE.iter().filter(|(format, ..)| *format == self.report.format)
        {
            match file(&grading.surroundings) {
                Some(file) => files::append(file, render(grading).as_ref())
                    .with_context(|| format!("{variable}={}", file.display()))?,
                None => {
                    let why = format!("{variable} is not set, so nothing is appended there");
                    let said = format!("{}: {why}", visible::line(&self.name()));
                    warn(&said, &grading.surroundings);
                }
            }
        }
        Ok(())
    }
}

/// Returns JSON for people, with a line end.
fn pretty(report: &impl Serialize) -> String {
    visible::json(&serde_json::to_string_pretty(report).unwrap_or_default()) + "\n"
}

/// Returns the first bytes of an event that fit beside an arrow, with an ellipsis if there are more.
fn preview(event: &Event) -> String {
    const COLUMNS: usize = 26;
    let widths = event.preview.iter().map(|byte| byte.escape_ascii().len());
    let ends = widths.scan(0, |end, width| {
        *end += width;
        Some(*end)
    });
    let shown = ends.take_while(|end| *end <= COLUMNS).count();
    let more = if event.bytes > shown { "…" } else { "" };
    format!("{}{more}", show(&event.preview[..shown], shown))
}

/// Writes every report of the request, and the one for people.
pub(crate) fn write_all(grading: &Grading, places: &Places<'_>) -> Result<(), suite::Fault> {
    let (to_stdout, written) = write_asked_for(grading, places);
    let shown = match to_stdout {
        None => {
            let is_short = !places.all && std::io::stdout().is_terminal();
            terminal::print(&for_people(grading, is_short))
        }
        Some(report) => {
            if !holds_the_one_for_people(places) {
                let is_short = !places.all && std::io::stderr().is_terminal();
                terminal::warn(&for_people(grading, is_short));
            }
            std::io::stdout().write_all(&report).context("stdout")
        }
    };
    let fault = |error| suite::Fault(format!("{:#}", exit::with_machines_fault(error)));
    written.and(shown).map_err(fault)
}

/// Writes every report of a request that could not be graded. People get one line on stderr.
pub(crate) fn write_errors(grading: &Grading, places: &Places<'_>) -> anyhow::Result<()> {
    let (to_stdout, written) = write_asked_for(grading, places);
    written.and(std::io::stdout().write_all(&to_stdout.unwrap_or_default()).context("stdout"))
}

/// Writes every report that goes to a file. Returns the one for stdout, and the first error: a
/// report that cannot be written does not stop the others.
fn write_asked_for(
    grading: &Grading,
    places: &Places<'_>,
) -> (Option<Vec<u8>>, anyhow::Result<()>) {
    let mut to_stdout = None;
    let mut written = Ok(());
    for place in &places.reports {
        match place.file() {
            Some(file) => written = written.and(place.write(grading, file)),
            None => to_stdout = Some(place.render.bytes(grading)),
        }
        written = written.and(place.write_aside(grading));
    }
    (to_stdout, written)
}

fn for_people(grading: &Grading, is_short: bool) -> String {
    let render = if is_short { screen::render } else { human::render };
    harmless(&render(grading), &grading.surroundings)
}

/// Prints a line on stderr.
pub(crate) fn warn(line: &str, surroundings: &Surroundings) {
    terminal::warn(&harmless(&format!("{line}\n"), surroundings));
}

/// Returns text in which GitHub's runner finds no command, if it reads along.
fn harmless(text: &str, surroundings: &Surroundings) -> String {
    if surroundings.on_github {
        github::disarmed(text, &surroundings.token)
    } else {
        text.to_owned()
    }
}

fn holds_the_one_for_people(places: &Places<'_>) -> bool {
    places.reports.iter().any(|place| place.file().is_none() && place.report.format == "github")
}
