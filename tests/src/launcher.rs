//! The process between the harness and each program it runs. It exists for one reason: the certain end.
//!
//! The harness starts its own executable again as a launcher, and the launcher starts the program. It adopts whatever the
//! program's processes leave behind, and when its control channel ends, because the harness is done or because the harness was
//! killed, it ends them all and only then goes itself. Nothing here judges, prints or waits for a clock.
//!
//! The control channel is the launcher's standard input, a socket. From the harness: one [`Orders`], then its end. From the
//! launcher: lines, see [`Word`]. Output of the program goes past the launcher straight into the harness's pipes.

use std::ffi::OsString;
use std::io::{self, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus};

use crate::kernel;
use crate::program::Orders;

/// The first argument that makes an executable a launcher; no command of anybody's is called so.
pub(crate) const ARGUMENT: &str = "__launch";

/// What a program may open at the same time (CONTRACT §1, limits).
const DESCRIPTORS: u64 = 4096;

/// Between two sweeps through a tree that does not end at once.
const SWEEP: Duration = Duration::from_millis(2);

/// What the launcher tells the harness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// The program runs under this process id.
    Started(u32),
    /// The program could not be started.
    Failed(String),
    /// The program's first process has ended.
    Exited(ExitStatus),
    /// All of its processes have ended, by themselves.
    Empty,
    /// None of the program's processes is left, and the launcher goes, too.
    Gone,
}

impl Word {
    fn to_line(&self) -> String {
        match self {
            Self::Started(pid) => format!("started {pid}\n"),
            Self::Failed(why) => format!("failed {}\n", why.replace('\n', " ")),
            Self::Exited(status) => format!("exited {}\n", status.into_raw()),
            Self::Empty => "empty\n".to_owned(),
            Self::Gone => "gone\n".to_owned(),
        }
    }

    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "started" => Some(Self::Started(rest.parse().ok()?)),
            "failed" => Some(Self::Failed(rest.to_owned())),
            "exited" => Some(Self::Exited(ExitStatus::from_raw(rest.parse().ok()?))),
            "empty" => Some(Self::Empty),
            "gone" => Some(Self::Gone),
            _ => None,
        }
    }
}

impl Orders {
    pub(crate) fn write_to(&self, mut channel: impl Write) -> io::Result<()> {
        let mut message = vec![u8::from(self.then_end)];
        message.extend((self.input.len() as u32).to_be_bytes());
        message.extend(&self.input);
        channel.write_all(&message)
    }

    fn read_from(mut channel: impl Read) -> io::Result<Self> {
        let mut head = [0; 5];
        channel.read_exact(&mut head)?;
        let [end, length @ ..] = head;
        let mut input = vec![0; u32::from_be_bytes(length) as usize];
        channel.read_exact(&mut input)?;
        Ok(Self { input, then_end: end != 0 })
    }
}

/// Runs as a launcher if the arguments of this process say so, and then returns its exit status. An executable that links the
/// suite calls this before anything else.
pub(crate) fn enter() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let command: Vec<OsString> = arguments.collect();
    Some(match launch(&command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(3), // the harness sees the channel end without "gone"
    })
}

fn launch(command: &[OsString]) -> io::Result<()> {
    let channel = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    kernel::become_subreaper()?;
    let orders = Orders::read_from(&channel)?;

    let (program, input) = match start(command, &orders) {
        Ok(started) => started,
        Err(error) => return say(&channel, &Word::Failed(error.to_string())),
    };
    say(&channel, &Word::Started(program.as_raw_nonzero().get() as u32))?;
    let none_left = reap(channel.try_clone()?, program);

    wait_for_end(&channel);
    drop(input);
    end_all(program, &none_left);
    say(&channel, &Word::Gone)
}

/// What keeps the program's standard input open.
type HeldInput = Option<std::process::ChildStdin>;

fn start(command: &[OsString], orders: &Orders) -> io::Result<(Pid, HeldInput)> {
    limit()?;
    let (executable, arguments) = command.split_first().ok_or_else(|| io::Error::other("no program named"))?;
    let mut child = Command::new(executable)
        .args(arguments)
        .stdin(Stdio::piped())
        .process_group(0)
        .env("RUST_BACKTRACE", "0")
        .spawn()?;
    // From here on the pipes are the program's alone: their end must mean its end.
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;

    let mut input = child.stdin.take();
    if let Some(pipe) = &mut input {
        _ = pipe.write_all(&orders.input); // a program that does not read its input is free not to
    }
    let id = Pid::from_child(&child);
    Ok((id, input.filter(|_| !orders.then_end)))
}

fn limit() -> io::Result<()> {
    let hard = rustix::process::getrlimit(Resource::Nofile).maximum.unwrap_or(DESCRIPTORS).min(DESCRIPTORS);
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(hard), maximum: Some(hard) })?;
    Ok(rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?)
}

fn say(mut channel: &UnixStream, word: &Word) -> io::Result<()> {
    channel.write_all(word.to_line().as_bytes())
}

/// Collects every process that ends below this one. The receiver hears when none is left.
fn reap(channel: UnixStream, program: Pid) -> Receiver<()> {
    let (none_left, heard): (Sender<()>, _) = channel_pair();
    std::thread::spawn(move || {
        loop {
            match rustix::process::wait(WaitOptions::empty()) {
                Ok(Some((pid, status))) if pid == program => _ = say(&channel, &Word::Exited(exit_status(status))),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => break, // ECHILD: no child is left, and so no descendant
            }
        }
        _ = say(&channel, &Word::Empty);
        _ = none_left.send(());
    });
    heard
}

fn channel_pair() -> (Sender<()>, Receiver<()>) {
    channel()
}

fn exit_status(status: WaitStatus) -> ExitStatus {
    ExitStatus::from_raw(status.as_raw())
}

/// Returns when the harness has closed its side, on purpose or by dying.
fn wait_for_end(channel: &UnixStream) {
    let mut rest = BufReader::new(channel);
    let mut ignored = [0; 64];
    while matches!(rest.read(&mut ignored), Ok(1..)) {}
}

fn end_all(program: Pid, none_left: &Receiver<()>) {
    _ = rustix::process::kill_process_group(program, Signal::KILL);
    while none_left.recv_timeout(SWEEP) == Err(RecvTimeoutError::Timeout) {
        for pid in kernel::descendants(std::process::id()) {
            if let Some(pid) = Pid::from_raw(pid as i32) {
                _ = rustix::process::kill_process(pid, Signal::KILL);
            }
        }
    }
}
