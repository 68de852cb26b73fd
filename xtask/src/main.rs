//! The commands of the socket practicals. `grade` is the pipeline that the others are made of:
//!
//! submission → sources → programs → verdicts → grade → report
//!
//! Each arrow is a module. Nothing here talks to a student's program: that is the `suite`'s
//! business.

mod build;
mod cli;
mod commands;
mod exit;
mod explanations;
mod files;
#[cfg(not(feature = "full"))]
mod full;
mod grade;
mod languages;
mod remembered;
mod report;
mod repository;
mod request;
mod rubric;
mod submission;
mod surroundings;
mod terminal;
mod toolchain;

use std::process::ExitCode;

use cli::Command;
use exit::{FAULT, NOT_PASSED, NOTHING_GRADED, PASSED};
use grade::{Grade, Premises};
use surroundings::Surroundings;

fn main() -> ExitCode {
    if let Some(status) = suite::enter_launcher() {
        return status;
    }
    let status = cli::parse(std::env::args_os().skip(1)).and_then(run).unwrap_or_else(|error| {
        let line = format!("{}error{}: {error:#}\n", terminal::RED, terminal::RED.render_reset());
        anstream::eprint!("{}", report::harmless(&line, &Surroundings::read()));
        if error.is::<suite::Fault>() { FAULT } else { NOTHING_GRADED }
    });
    ExitCode::from(status)
}

fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Help(text) => {
            terminal::print(&format!("{text}\n"))?;
            Ok(PASSED)
        }
        #[cfg(not(feature = "full"))]
        Command::Grade(request) if full::is_needed(&request) => full::run(),
        Command::Grade(request) => grade(&request),
        Command::List => commands::list::run(),
        Command::Explain(word) => commands::explain::run(word.as_deref()),
        Command::New(name) => commands::new::run(&name),
        Command::Verify(request) => commands::verify::run(&request),
        Command::Bench(request) => commands::bench::run(&request),
        Command::Release(request) => commands::release::run(&request),
        #[cfg(feature = "full")]
        Command::Watch(request) => commands::watch::run(&request),
        #[cfg(not(feature = "full"))]
        Command::Watch(request) => {
            repository::find()?.practical(&request.practical)?; // before anything is built for it
            full::run()
        }
    }
}

/// The pipeline, and what the reports say where it breaks off.
fn grade(request: &request::GradeRequest) -> anyhow::Result<u8> {
    let surroundings = Surroundings::read();
    let places = report::places(request)?;
    match pipeline(request, &surroundings) {
        Ok(grade) => {
            let grade = remembered::compared(grade);
            report::write_all(&grade, &places)?;
            Ok(status(&grade))
        }
        Err(error) => {
            if let Err(unwritten) =
                report::write_errors(&Grade::broken_off(request, surroundings, &error), &places)
            {
                anstream::eprintln!("{unwritten:#}");
            }
            Err(error)
        }
    }
}

fn pipeline(request: &request::GradeRequest, surroundings: &Surroundings) -> anyhow::Result<Grade> {
    let repository = repository::find()?;
    let rubric = rubric::read(&repository, &request.practical)?;
    let plan = rubric.plan(&request.only)?;
    let surroundings = surroundings.complete(request)?;
    let progress = terminal::Progress::new();

    let sources = submission::stage(&repository, &rubric, &plan, request)?;
    let premises = Premises::prepare(request.confine)?;
    let built = build::programs(&sources, &premises, &progress)?;
    let verdicts = grade::judge(&plan, &built, request, &premises, &progress)?;
    Ok(Grade { surroundings, ..Grade::new(&rubric, verdicts, &built, &sources, request) })
}

pub(crate) fn status(grade: &Grade) -> u8 {
    match grade {
        grade if grade.has_faults() => FAULT,
        grade if grade.passed() => PASSED,
        _ => NOT_PASSED,
    }
}
