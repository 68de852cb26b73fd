//! The arguments. Options that do not exist yet are refused, never ignored.

mod grade;
mod help;
mod words;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use lexopt::prelude::*;

use crate::request::{BenchRequest, ExplainRequest, GradeRequest, ReleaseRequest, VerifyRequest};

/// What was asked for.
#[derive(Debug)]
pub(crate) enum Command {
    Help(&'static str),
    Grade(GradeRequest),
    List,
    Explain(ExplainRequest),
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

/// Commands that the contract names and that do not exist yet.
const NOT_YET: [&str; 1] = ["class"];

/// Reads the arguments after the program's name.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> anyhow::Result<Command> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let command = match parser.next()? {
        None | Some(Short('h') | Long("help")) => return Ok(Command::Help(help::HELP)),
        Some(Value(word)) => word.string()?,
        Some(other) => {
            return Err(other.unexpected()).context("a command comes first: cargo xtask --help");
        }
    };
    match command.as_str() {
        "help" => Ok(Command::Help(help::HELP)),
        "grade" => grade::grade(parser, help::GRADE_HELP),
        "list" => list(parser),
        "explain" => explain(parser),
        "new" => new(parser),
        "verify" => verify(parser),
        "bench" => bench(parser),
        "release" => release(parser),
        "watch" => grade::watch(parser),
        word if NOT_YET.contains(&word) => {
            bail!("cargo xtask {word} is not there yet; cargo xtask --help lists the commands")
        }
        word => Err(words::no_command(word)),
    }
}

fn release(mut parser: lexopt::Parser) -> anyhow::Result<Command> {
    let (mut folder, mut replace) = (None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help(help::RELEASE_HELP)),
            Long("replace") => replace = true,
            Value(path) if folder.is_none() => folder = Some(PathBuf::from(path)),
            other => return Err(unexpected(other, "release", help::RELEASE_HELP)),
        }
    }
    let folder = folder
        .filter(|folder| *folder != Path::new(""))
        .context("where to? cargo xtask release DIR")?;
    Ok(Command::Release(ReleaseRequest { folder, replace }))
}

fn number(option: &str, text: &str, least: usize) -> anyhow::Result<usize> {
    match text.parse() {
        Ok(number) if number >= least => Ok(number),
        _ => bail!("{option} {text}: write a whole number, {least} or more"),
    }
}

fn list(mut parser: lexopt::Parser) -> anyhow::Result<Command> {
    match parser.next()? {
        None => Ok(Command::List),
        Some(Short('h') | Long("help")) => Ok(Command::Help(help::HELP)),
        Some(other) => Err(unexpected(other, "list", help::HELP)),
    }
}

fn explain(mut parser: lexopt::Parser) -> anyhow::Result<Command> {
    let mut request = ExplainRequest::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help(help::HELP)),
            Value(value) if request.word.is_none() => request.word = Some(value.string()?),
            Value(value) if request.practical.is_none() => {
                let practical = request.word.replace(value.string()?).unwrap_or_default();
                request.practical = Some(words::named(&practical).practical);
            }
            other => return Err(unexpected(other, "explain", help::HELP)),
        }
    }
    Ok(Command::Explain(request))
}

fn new(mut parser: lexopt::Parser) -> anyhow::Result<Command> {
    let mut name = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help(help::HELP)),
            Value(value) if name.is_none() => name = Some(value.string()?),
            other => return Err(unexpected(other, "new", help::HELP)),
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
            Short('h') | Long("help") => return Ok(Command::Help(help::VERIFY_HELP)),
            Long("soak") => request.soak = Some(number("--soak", &parser.value()?.string()?, 1)?),
            Long("seed") => request.seed = number("--seed", &parser.value()?.string()?, 0)? as u64,
            Long("jobs") => request.jobs = number("--jobs", &parser.value()?.string()?, 1)?,
            Long("only") => request.only.push(parser.value()?.string()?),
            Long("renew-evidence") => request.renew_evidence = true,
            Long("attacks") => request.attacks = true,
            Value(word) if request.practical.is_none() => request.practical = Some(word.string()?),
            other => return Err(unexpected(other, "verify", help::VERIFY_HELP)),
        }
    }
    Ok(Command::Verify(request))
}

fn bench(mut parser: lexopt::Parser) -> anyhow::Result<Command> {
    let mut request = BenchRequest { practical: suite::PRACTICALS[0].name.to_owned(), runs: 10 };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help(help::BENCH_HELP)),
            Long("runs") => request.runs = number("--runs", &parser.value()?.string()?, 1)?,
            Value(word) => request.practical = word.string()?,
            other => return Err(unexpected(other, "bench", help::BENCH_HELP)),
        }
    }
    Ok(Command::Bench(request))
}

fn unexpected(argument: lexopt::Arg<'_>, command: &str, help: &str) -> anyhow::Error {
    if let Long(option) = argument
        && let Some(meant) = words::nearest_option(option, help)
    {
        return anyhow::anyhow!("there is no option --{option}; did you mean {meant}?");
    }
    anyhow::Error::from(argument.unexpected())
        .context(format!("cargo xtask {command} --help lists its options"))
}

/// Returns a seed that is short enough to type again. Trying all of them out takes longer than any
/// check: a program cannot find the seed by the bytes that it receives.
fn any_seed() -> u64 {
    fastrand::u64(1..1_000_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutations::Inputs;

    #[test]
    fn a_bad_command_line_is_refused_in_one_line() {
        let right: [&[u8]; 5] = [
            b"grade\0echo\0--submission\0a\0--only\0b\0--report\0json=c\0--seed\x007\0--hint=2",
            b"grade\0echo\0--program\0echo_server=python3 'a b.py' {host} {port}\0--jobs=3",
            b"watch\0echo\0--program=x=y\0--address\x00127.0.0.1:10000\0--confine\0off",
            b"verify\0echo\0--soak\x003\0--attacks\0--renew-evidence",
            b"release\0a\0--replace",
        ];
        let words =
            ["\0", "--", "-", "=", "--help", "[::1]:1", "localhost:", "{port}", "\"", "new"];
        Inputs { right: &right, words: &words, ..Inputs::default() }.check(
            "command lines",
            |input| {
                let words = input.split(|byte| *byte == 0).map(os_string);
                parse(words).map(drop)
            },
        );
    }

    #[cfg(unix)]
    fn os_string(bytes: &[u8]) -> OsString {
        use std::os::unix::ffi::OsStringExt;
        OsString::from_vec(bytes.to_owned())
    }

    #[cfg(not(unix))]
    fn os_string(bytes: &[u8]) -> OsString {
        String::from_utf8_lossy(bytes).into_owned().into()
    }
}
