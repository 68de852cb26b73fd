//! The commands of the socket practicals. `grade` is the pipeline that the others use:
//!
//! ```text
//! submission ─stage─▶ sources ─build─▶ programs ─check─▶ verdicts ─rubric─▶ grading ─report─▶ bytes
//! ```
//!
//! Each arrow is a module, and [`grader::Grader::grade_changes`] has a variable for each result.
//! Nothing here talks to a student's program: the `suite` does. A module names only modules further
//! down this list; `tests/layers.rs` checks that there is no circle.
//!
//! ```text
//! commands                             a file for each command
//! cli                                  the arguments
//! full                                 replaces a light build by the full one
//! grader                               the pipeline
//! report                               a file for each format
//! known  remembered                    what earlier gradings found out
//! build  grade                         programs; verdicts with points
//! submission                           sources
//! check  rubric                        verdicts; what the course says
//! explanations  sandbox  surroundings  mistakes in words; where programs run; the environment
//! request  unbuilt  languages          what is asked for; why there is no program
//! repository  toolchain  files  keyed  folders, toolchains, files, a hash with a key
//! terminal  columns  plural  nearest   output
//! visible                              text from outside, without what a reader cannot see
//! interruption  parallel  patterns     signals, threads, file patterns
//! exit                                 exit statuses
//! ```

mod build;
mod check;
mod cli;
mod columns;
mod commands;
mod exit;
mod explanations;
mod files;
#[cfg(not(feature = "full"))]
mod full;
mod grade;
mod grader;
mod interruption;
mod keyed;
mod known;
mod languages;
#[cfg(test)]
mod mutations;
mod nearest;
mod parallel;
mod patterns;
mod plural;
mod remembered;
mod report;
mod repository;
mod request;
mod rubric;
mod sandbox;
mod submission;
mod surroundings;
mod terminal;
mod toolchain;
mod unbuilt;
mod visible;

use std::process::ExitCode;

use cli::Command;
use surroundings::Surroundings;

fn main() -> ExitCode {
    if let Some(status) = suite::enter_launcher() {
        return status;
    }
    #[cfg(unix)]
    interruption::expect();
    let status = cli::parse(std::env::args_os().skip(1)).and_then(run).unwrap_or_else(|error| {
        let error = exit::with_machines_fault(error);
        let (style, said) = (terminal::RED, visible::error(&error));
        report::warn(&format!("{style}error{style:#}: {said}"), &Surroundings::read());
        if error.is::<suite::Fault>() { exit::FAULT } else { exit::NOTHING_GRADED }
    });
    ExitCode::from(status)
}

fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Help(text) => terminal::print(&format!("{text}\n")).map(|()| exit::PASSED),
        #[cfg(not(feature = "full"))]
        Command::Grade(request) if full::is_needed(&request) => full::run(),
        Command::Grade(request) => commands::grade::run(&request),
        Command::List => commands::list::run(),
        Command::Explain(request) => commands::explain::run(&request),
        Command::New(name) => commands::new::run(&name),
        Command::Verify(request) => commands::verify::run(&request),
        Command::Bench(request) => commands::bench::run(&request),
        Command::Release(request) => commands::release::run(&request),
        #[cfg(feature = "full")]
        Command::Watch(request) => commands::watch::run(&request),
        #[cfg(not(feature = "full"))]
        Command::Watch(request) => full::watch(&request),
    }
}
