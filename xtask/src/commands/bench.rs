//! `bench`: measures how long a student waits, in multiples of the least possible time.
//!
//! The unit is a plain sequential program: eight times, it starts a server, connects, exchanges one
//! message and ends. Whole processes are timed, warm, with everything built.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::exit::PASSED;
use crate::request::BenchRequest;
use crate::{build, repository, terminal};

const EXCHANGES: usize = 8;

pub(crate) fn run(request: &BenchRequest) -> anyhow::Result<u8> {
    let folder = repository::find()?.practical(&request.practical)?;
    let target = repository::target()?.join(format!("{}-verify", request.practical));
    let program = |source: &str, target: &Path, name: &str| {
        let programs = build::all_programs_of(&folder.join(source), target)?;
        programs.get(name).cloned().with_context(|| format!("{source} has no {name}"))
    };
    let server = program("solution/echo_server", &target.join("echo_server"), "echo_server")?;
    let hangs = program("mistakes", &target.join("mistakes"), "accepts_only")?;

    let plain = median(request.runs, || sequential(&server))?;
    let by_hand = format!("{EXCHANGES} exchanges, one after another, by hand");
    terminal::say_line(format_args!("{by_hand:<46} {:>8.1} ms", ms(plain)));
    for (what, options) in gradings(&hangs) {
        let arguments: Vec<&str> = std::iter::once("grade")
            .chain([request.practical.as_str()])
            .chain(options.iter().map(String::as_str))
            .collect();
        let time = median(request.runs, || whole_process(&arguments))?;
        let ratio = time.as_secs_f64() / plain.as_secs_f64();
        terminal::say_line(format_args!("{what:<46} {:>8.1} ms {ratio:>6.2} times that", ms(time)));
    }
    Ok(PASSED)
}

/// Returns the gradings to time, with their options.
fn gradings(hangs: &Path) -> [(&'static str, Vec<String>); 4] {
    let options = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let hanging = format!("echo_server={} {{host}} {{port}}", hangs.display());
    let server = |command: &str| options(&["--program", command, "--only", "echo_server"]);
    [
        ("grade the solution, all checks, warm", options(&["--solution"])),
        ("one check of the solution", options(&["--solution", "--only", "echoes_short_message"])),
        ("a server that accepts and never replies", server(&hanging)),
        ("a server that dies at its start", server("echo_server=false {port}")),
    ]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Returns the median time of `runs` runs, after one run that does not count.
fn median(runs: usize, mut run: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    run()?;
    let mut times = Vec::new();
    for _ in 0..runs {
        let began = Instant::now();
        run()?;
        times.push(began.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}

fn whole_process(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(repository::this_executable()?)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    match status.code() {
        Some(0 | 1) => Ok(()),
        _ => bail!("cargo xtask {} ended with {status}", arguments.join(" ")),
    }
}

fn sequential(server: &Path) -> anyhow::Result<()> {
    for turn in 0..EXCHANGES {
        let port = 15_000 + fastrand::u16(..10_000);
        let mut process = Command::new(server)
            .args(["127.0.0.1", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let echoed = exchange(port, format!("message {turn}").as_bytes());
        process.kill()?;
        process.wait()?;
        echoed?;
    }
    Ok(())
}

fn exchange(port: u16, message: &[u8]) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(error) if Instant::now() > deadline => return Err(error.into()),
            Err(_) => std::thread::sleep(Duration::from_micros(200)),
        }
    };
    stream.write_all(message)?;
    let mut reply = vec![0; message.len()];
    stream.read_exact(&mut reply)?;
    if reply == message { Ok(()) } else { bail!("another reply than the message") }
}
