//! The arguments of `grade` and `watch`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use lexopt::prelude::*;
use suite::Wanted;

use super::{Command, any_seed, help, number, unexpected, words};
use crate::report;
use crate::request::{GradeRequest, Origin, ProgramCommand, Report};

pub(super) fn grade(mut parser: lexopt::Parser, help: &'static str) -> anyhow::Result<Command> {
    let mut practical = None;
    let mut request = GradeRequest::of("", Origin::Practical, any_seed());
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help(help)),
            Long("solution") => set_origin(&mut request.origin, Origin::Solution)?,
            Long("submission") => {
                set_origin(&mut request.origin, Origin::Submission(parser.value()?.into()))?
            }
            Long("program") => request.programs.push(program(&parser.value()?.string()?)?),
            Long("address") => request.address = Some(address(&parser.value()?.string()?)?),
            Long("only") => request.only.push(parser.value()?.string()?),
            Long("report") => request.reports.push(report_request(&parser.value()?.string()?)?),
            Long("all") => request.all = true,
            Long("show-hidden") => request.show_hidden = true,
            Long("hint") => request.hint = hint(&mut parser)?,
            Long("seed") => request.seed = number("--seed", &parser.value()?.string()?, 0)? as u64,
            Long("jobs") => request.jobs = number("--jobs", &parser.value()?.string()?, 1)?,
            Long("budget") => {
                let seconds = number("--budget", &parser.value()?.string()?, 1)?;
                request.budget = Duration::from_secs(seconds as u64);
            }
            Long("confine") => request.confine = confine(&parser.value()?.string()?)?,
            Value(word) if practical.is_none() => practical = Some(word.string()?),
            other => return Err(unexpected(other, "grade", help)),
        }
    }
    let word: String =
        practical.context("which practical? cargo xtask grade PRACTICAL (cargo xtask list)")?;
    let named = words::named(&word);
    request.practical = named.practical;
    request.only.extend(named.program);
    check(&request)?;
    for program in &mut request.programs {
        program.address = request.address.filter(|_| !program.takes_port());
    }
    Ok(Command::Grade(request))
}

/// Reads the arguments of `watch`, which are those of `grade` without reports.
pub(super) fn watch(parser: lexopt::Parser) -> anyhow::Result<Command> {
    match grade(parser, help::WATCH_HELP)? {
        Command::Grade(request) if !request.reports.is_empty() => {
            bail!("watch has no --report; use cargo xtask grade for it")
        }
        Command::Grade(request) => Ok(Command::Watch(request)),
        other => Ok(other),
    }
}

/// Reads the steps of hints; without a number, the first.
fn hint(parser: &mut lexopt::Parser) -> anyhow::Result<usize> {
    if let Some(value) = parser.optional_value() {
        return number("--hint", &value.string()?, 0);
    }
    let is_number =
        |word: &std::ffi::OsStr| word.to_str().is_some_and(|it| it.parse::<usize>().is_ok());
    let mut rest = parser.raw_args()?;
    rest.next_if(is_number).map_or(Ok(1), |value| number("--hint", &value.string()?, 0))
}

fn check(request: &GradeRequest) -> anyhow::Result<()> {
    check_programs(request)?;
    check_address(request)?;
    check_reports(&request.reports)
}

fn check_programs(request: &GradeRequest) -> anyhow::Result<()> {
    for program in request.programs.iter().filter(|_| request.address.is_none()) {
        if !program.takes_port() {
            bail!(
                "--program {}: no {{port}} in {:?}; write {{host}} and {{port}} where its address belongs, or give the address that it always uses with --address",
                program.name,
                program.text
            );
        }
    }
    for (at, program) in request.programs.iter().enumerate() {
        if request.programs[..at].iter().any(|other| other.name == program.name) {
            bail!("--program {}: given twice", program.name);
        }
    }
    Ok(())
}

fn check_address(request: &GradeRequest) -> anyhow::Result<()> {
    let is_needed = matches!(request.origin, Origin::Submission(_))
        || !request.programs.iter().all(ProgramCommand::takes_port);
    if request.address.is_some() && !is_needed {
        bail!(
            "--address goes with a --submission, or with a --program without {{port}}: it names the address that the program always uses"
        );
    }
    Ok(())
}

fn check_reports(reports: &[Report]) -> anyhow::Result<()> {
    for (at, report) in reports.iter().enumerate() {
        let Some(file) = &report.file else { continue };
        let same = |other: &&Report| other.file.as_ref() == Some(file);
        if let Some(other) = reports[..at].iter().find(same) {
            bail!(
                "--report {}={}: --report {} goes there, too: name another file",
                report.format,
                file.display(),
                other.format
            );
        }
    }
    if reports.iter().filter(|report| report.file.is_none()).count() > 1 {
        bail!("only one --report can go to stdout: write the others as FORMAT=FILE");
    }
    Ok(())
}

fn set_origin(origin: &mut Origin, wanted: Origin) -> anyhow::Result<()> {
    if *origin != Origin::Practical {
        bail!("give either --solution or --submission, and only once");
    }
    *origin = wanted;
    Ok(())
}

fn program(text: &str) -> anyhow::Result<ProgramCommand> {
    let (name, command) =
        text.split_once('=').with_context(|| format!("--program {text}: write NAME=COMMAND"))?;
    let words =
        shell_words::split(command).with_context(|| format!("--program {name}: {command:?}"))?;
    if words.is_empty() {
        bail!("--program {name}: the command is empty");
    }
    Ok(ProgramCommand { name: name.to_owned(), words, text: command.to_owned(), address: None })
}

fn address(text: &str) -> anyhow::Result<SocketAddr> {
    let address = text.replace("localhost:", "127.0.0.1:");
    let parsed: Option<SocketAddr> = address.parse().ok();
    let usable = parsed.filter(|address| address.port() != 0);
    usable.with_context(|| format!("--address {text}: write HOST:PORT, like 127.0.0.1:10000"))
}

fn report_request(text: &str) -> anyhow::Result<Report> {
    let (format, file) = match text.split_once('=') {
        Some((_, "")) => bail!("--report {text}: the file's name is missing"),
        Some((format, file)) => (format, Some(PathBuf::from(file))),
        None => (text, None),
    };
    if !report::formats().contains(&format) {
        bail!(
            "--report {format}: there is no such format; write one of {}",
            report::formats().join(", ")
        );
    }
    Ok(Report { format: format.to_owned(), file })
}

fn confine(text: &str) -> anyhow::Result<Wanted> {
    match text {
        "auto" => Ok(Wanted::Auto),
        "required" => Ok(Wanted::Required),
        "landlock" => Ok(Wanted::Landlock),
        "off" => Ok(Wanted::Off),
        _ => bail!("--confine {text}: write auto, required, landlock or off"),
    }
}
