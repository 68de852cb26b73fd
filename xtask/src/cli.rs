//! The arguments. What is not there yet is refused, never ignored.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use lexopt::prelude::*;
use suite::Wanted;

use crate::report;

/// What was asked for.
#[derive(Debug)]
pub(crate) enum Command {
    Help(&'static str),
    Grade(GradeRequest),
    List,
    /// A word, or nothing: every mistake then.
    Explain(Option<String>),
    New(String),
    Verify(VerifyRequest),
    Bench(BenchRequest),
    Release(ReleaseRequest),
    #[cfg_attr(
        not(feature = "full"),
        allow(dead_code, reason = "a light build passes the words on as they came")
    )]
    Watch(GradeRequest),
}

/// `grade`, with everything that changes a grade or its report.
#[derive(Debug, Clone)]
pub(crate) struct GradeRequest {
    pub(crate) practical: String,
    pub(crate) origin: Origin,
    /// Programs that are run by a command line instead of being built.
    pub(crate) programs: Vec<ProgramCommand>,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) only: Vec<String>,
    pub(crate) reports: Vec<Report>,
    pub(crate) hint: usize,
    /// What hidden checks saw is shown, too.
    pub(crate) show_hidden: bool,
    pub(crate) seed: u64,
    pub(crate) jobs: usize,
    pub(crate) confine: Wanted,
}

/// Whose programs are graded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The student's, in the practical's own folder.
    Practical,
    /// The reference solution.
    Solution,
    /// Another folder or checkout.
    Submission(PathBuf),
}

/// `--program NAME=COMMAND`.
#[derive(Debug, Clone)]
pub(crate) struct ProgramCommand {
    pub(crate) name: String,
    pub(crate) words: Vec<String>,
    /// As it was typed.
    pub(crate) text: String,
    /// The address that it always uses, where it takes none.
    pub(crate) address: Option<SocketAddr>,
}

/// `--report FORMAT[=FILE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) format: String,
    pub(crate) file: Option<PathBuf>,
}

/// `verify`.
#[derive(Debug)]
pub(crate) struct VerifyRequest {
    pub(crate) practical: Option<String>,
    /// So many gradings of each right program beside busy loops.
    pub(crate) soak: Option<usize>,
    /// Gradings at the same time while soaking.
    pub(crate) jobs: usize,
    /// What hostile submissions try, instead of the catalogue.
    pub(crate) attacks: bool,
    /// Only these rows of the catalogue, or of the attacks.
    pub(crate) only: Vec<String>,
    /// Keep what is seen now as the evidence of the mistakes.
    pub(crate) renew_evidence: bool,
    pub(crate) seed: u64,
}

/// `bench`.
#[derive(Debug)]
pub(crate) struct BenchRequest {
    pub(crate) practical: String,
    pub(crate) runs: usize,
}

/// `release`.
#[derive(Debug)]
pub(crate) struct ReleaseRequest {
    pub(crate) folder: PathBuf,
    /// What is there makes room.
    pub(crate) replace: bool,
}

const HELP: &str = "\
Graded practicals for a network-sockets course.

  cargo xtask grade PRACTICAL      grade the programs in practicals/PRACTICAL
  cargo xtask watch PRACTICAL      grade again at each save
  cargo xtask list                 practicals, their checks and points
  cargo xtask explain [WORD]       what a check, or a mistake, means; all mistakes
  cargo xtask verify [PRACTICAL]   the grader against itself
  cargo xtask bench [PRACTICAL]    how long a grading takes
  cargo xtask release DIR          write the students' repository
  cargo xtask new PRACTICAL        a new practical that verifies at once

cargo xtask COMMAND --help says more.";

const GRADE_HELP: &str = "\
cargo xtask grade PRACTICAL [OPTION]...

  --solution               the reference solution, not the student's programs
  --submission DIR         another folder, checkout, .zip or .tar.gz instead
  --program NAME=COMMAND   this command line instead of building NAME, in any
                           language; {host} and {port} stand for the address, a
                           client's message comes last or where {message} stands
  --address HOST:PORT      the address of a --program that has one of its own
  --only WORD              a check, a group or a program; may be repeated
  --report FORMAT[=FILE]   json, junit, gradescope, classroom50,
                           github-classroom, github, markdown, html, ctrf,
                           prairielearn, autolab, or pcapng: what went over
                           the wire, for Wireshark; may be repeated; without
                           FILE to stdout, and the report for people to stderr
  --hint N                 hints up to step N for what failed (1)
  --show-hidden            what hidden checks saw, too: for the instructor
  --seed N                 the payloads' seed
  --jobs N                 checks run at the same time (all)
  --confine HOW            what programs may reach: auto, the least that this
                           system can do; required, the full protection or
                           nothing; landlock, without namespaces; off

Exit status: 0 the pass mark is reached, 1 it is not, 2 nothing could be graded,
3 a fault of the grader's own.";

const WATCH_HELP: &str = "\
cargo xtask watch PRACTICAL [OPTION]...

Grades again at each save: what changed, and nothing else. Shows the first check
that failed, what got better and what got worse. Takes the options of grade.

In a terminal: n next, p previous, h a hint, e explain, a all, r run everything,
q quit. Elsewhere it prints.";

const VERIFY_HELP: &str = "\
cargo xtask verify [PRACTICAL] [OPTION]...

The grader against itself: the solution gets full marks, the skeleton fails as it
should, every known mistake fails what its row says and nothing else, and odd but
right programs get full marks. Prints the matrix of mistakes and checks.

  --only NAME   only this mistake or right program; may be repeated
  --attacks     instead: what hostile submissions try, in each tier of confinement
                that this system has, each with its control (Linux only)
  --soak N      grade the solution and each right program N times with four busy
                loops beside them: not a point may be lost
  --jobs N      so many gradings at the same time (3)
  --seed N      the payloads' seed
  --renew-evidence
                keep what is read for each mistake now, in mistakes/evidence";

const BENCH_HELP: &str = "\
cargo xtask bench [PRACTICAL] [--runs N]

How long a grading takes, N times (10): the solution, and programs that hang and
die, beside a plain sequential program that makes the same eight basic exchanges.";

const RELEASE_HELP: &str = "\
cargo xtask release DIR [--replace]

Writes the repository that students get into DIR: what git keeps here, without
the solutions, the mistakes and the hidden checks. DIR is empty, or not there.

  --replace   all that is in DIR makes room, but .git";

/// Commands and options that the contract names and that come later.
const NOT_YET: [&str; 1] = ["class"];

/// Reads the arguments after the program's name.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> anyhow::Result<Command> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let command = match parser.next()? {
        None | Some(Short('h') | Long("help")) => return Ok(Command::Help(HELP)),
        Some(Value(word)) => word.string()?,
        Some(other) => {
            return Err(other.unexpected()).context("a command comes first: cargo xtask --help");
        }
    };
    match command.as_str() {
        "help" => Ok(Command::Help(HELP)),
        "grade" => grade(parser, GRADE_HELP),
        "list" => list(parser),
        "explain" => explain(parser),
        "new" => new(parser),
        "verify" => verify(parser),
        "bench" => bench(parser),
        "release" => release(parser),
        "watch" => watch(parser),
        word if NOT_YET.contains(&word) => {
            bail!("cargo xtask {word} is not there yet: cargo xtask --help says what is")
        }
        word => bail!("there is no command {word:?}: cargo xtask --help says which there are"),
    }
}

impl GradeRequest {
    /// To grade everything, as it is graded where nothing else is asked for.
    pub(crate) fn of(practical: &str, origin: Origin, seed: u64) -> Self {
        Self {
            practical: practical.to_owned(),
            origin,
            programs: Vec::new(),
            address: None,
            only: Vec::new(),
            reports: Vec::new(),
            hint: 1,
            show_hidden: false,
            seed,
            jobs: usize::MAX,
            confine: Wanted::Auto,
        }
    }
}

fn grade(mut parser: lexopt::Parser, help: &'static str) -> anyhow::Result<Command> {
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
            Long("show-hidden") => request.show_hidden = true,
            Long("hint") => request.hint = number("--hint", &parser.value()?.string()?, 0)?,
            Long("seed") => request.seed = number("--seed", &parser.value()?.string()?, 0)? as u64,
            Long("jobs") => request.jobs = number("--jobs", &parser.value()?.string()?, 1)?,
            Long("confine") => request.confine = confine(&parser.value()?.string()?)?,
            Value(word) if practical.is_none() => practical = Some(word.string()?),
            other => return Err(unexpected(other, "grade")),
        }
    }
    request.practical =
        practical.context("which practical? cargo xtask grade PRACTICAL (cargo xtask list)")?;
    check_grade(&request)?;
    for program in &mut request.programs {
        let takes_port = program.words.iter().any(|word| word.contains("{port}"));
        program.address = request.address.filter(|_| !takes_port);
    }
    Ok(Command::Grade(request))
}

fn release(mut parser: lexopt::Parser) -> anyhow::Result<Command> {
    let (mut folder, mut replace) = (None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help(RELEASE_HELP)),
            Long("replace") => replace = true,
            Value(path) if folder.is_none() => folder = Some(PathBuf::from(path)),
            other => return Err(unexpected(other, "release")),
        }
    }
    let folder = folder
        .filter(|folder| *folder != Path::new(""))
        .context("where to? cargo xtask release DIR")?;
    Ok(Command::Release(ReleaseRequest { folder, replace }))
}

/// The same of a grading that never ends.
fn watch(parser: lexopt::Parser) -> anyhow::Result<Command> {
    match grade(parser, WATCH_HELP)? {
        Command::Grade(request) if !request.reports.is_empty() => {
            bail!("--report goes with grade, not with watch")
        }
        Command::Grade(request) => Ok(Command::Watch(request)),
        other => Ok(other),
    }
}

fn check_grade(request: &GradeRequest) -> anyhow::Result<()> {
    for program in &request.programs {
        let takes_port = program.words.iter().any(|word| word.contains("{port}"));
        if !takes_port && request.address.is_none() {
            bail!(
                "--program {}: no {{port}} in {:?}; write {{host}} and {{port}} where its address belongs, or say with --address which one it always uses",
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
    let needs_address = request
        .programs
        .iter()
        .any(|program| !program.words.iter().any(|word| word.contains("{port}")));
    if request.address.is_some()
        && !needs_address
        && !matches!(request.origin, Origin::Submission(_))
    {
        bail!(
            "--address goes with a --submission, or with a --program that has no {{port}}: it says which address that program always uses"
        );
    }
    for (at, report) in request.reports.iter().enumerate() {
        let same = |other: &&Report| report.file.is_some() && other.file == report.file;
        if let Some(other) = request.reports[..at].iter().find(same) {
            let file = report.file.as_deref().unwrap_or(Path::new("")).display();
            bail!(
                "--report {}={file}: --report {} goes there, too: name another file",
                report.format,
                other.format
            );
        }
    }
    let to_stdout = request.reports.iter().filter(|report| report.file.is_none()).count();
    if to_stdout > 1 {
        bail!("only one --report can go to stdout: write the others as FORMAT=FILE");
    }
    Ok(())
}

fn set_origin(origin: &mut Origin, wanted: Origin) -> anyhow::Result<()> {
    if *origin != Origin::Practical {
        bail!("--solution and --submission exclude each other, and each is given once");
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
            "--report {format}: there is no such format; there is {}",
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
        _ => bail!("--confine {text}: there is auto, required, landlock and off"),
    }
}

fn number(option: &str, text: &str, least: usize) -> anyhow::Result<usize> {
    match text.parse() {
        Ok(number) if number >= least => Ok(number),
        _ => bail!("{option} {text}: a number from {least} on is wanted"),
    }
}

fn list(mut parser: lexopt::Parser) -> anyhow::Result<Command> {
    match parser.next()? {
        None => Ok(Command::List),
        Some(Short('h') | Long("help")) => Ok(Command::Help(HELP)),
        Some(other) => Err(unexpected(other, "list")),
    }
}

fn explain(mut parser: lexopt::Parser) -> anyhow::Result<Command> {
    let mut word = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help(HELP)),
            Value(value) if word.is_none() => word = Some(value.string()?),
            other => return Err(unexpected(other, "explain")),
        }
    }
    Ok(Command::Explain(word))
}

fn new(mut parser: lexopt::Parser) -> anyhow::Result<Command> {
    let mut name = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help(HELP)),
            Value(value) if name.is_none() => name = Some(value.string()?),
            other => return Err(unexpected(other, "new")),
        }
    }
    Ok(Command::New(name.context("what is it called? cargo xtask new PRACTICAL")?))
}

fn verify(mut parser: lexopt::Parser) -> anyhow::Result<Command> {
    let mut request = VerifyRequest {
        practical: None,
        attacks: false,
        soak: None,
        jobs: 3,
        only: Vec::new(),
        renew_evidence: false,
        seed: any_seed(),
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help(VERIFY_HELP)),
            Long("soak") => request.soak = Some(number("--soak", &parser.value()?.string()?, 1)?),
            Long("seed") => request.seed = number("--seed", &parser.value()?.string()?, 0)? as u64,
            Long("jobs") => request.jobs = number("--jobs", &parser.value()?.string()?, 1)?,
            Long("only") => request.only.push(parser.value()?.string()?),
            Long("renew-evidence") => request.renew_evidence = true,
            Long("attacks") => request.attacks = true,
            Value(word) if request.practical.is_none() => request.practical = Some(word.string()?),
            other => return Err(unexpected(other, "verify")),
        }
    }
    Ok(Command::Verify(request))
}

fn bench(mut parser: lexopt::Parser) -> anyhow::Result<Command> {
    let mut request = BenchRequest { practical: suite::PRACTICALS[0].name.to_owned(), runs: 10 };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help(BENCH_HELP)),
            Long("runs") => request.runs = number("--runs", &parser.value()?.string()?, 1)?,
            Value(word) => request.practical = word.string()?,
            other => return Err(unexpected(other, "bench")),
        }
    }
    Ok(Command::Bench(request))
}

fn unexpected(argument: lexopt::Arg<'_>, command: &str) -> anyhow::Error {
    anyhow::Error::from(argument.unexpected())
        .context(format!("cargo xtask {command} --help says what there is"))
}

/// Short enough to be typed again.
fn any_seed() -> u64 {
    fastrand::u64(1..1_000_000)
}
