//! The process between the harness and each program it runs: it confines the program, keeps it to
//! its limits, and sees to its certain end.
//!
//! The harness starts its own executable again as a launcher, and the launcher starts the program.
//! The keeper, which is the launcher itself or, in a jail, its child (see
//! [`crate::sandbox::enter`]), adopts whatever the program's processes leave behind, and when its
//! control channel ends, because the harness is done or because the harness was killed, it ends
//! them all and only then goes itself. Nothing here judges or prints.
//!
//! The control channel is the launcher's standard input, a socket. From the harness: one
//! [`Stdin`], then its end. From the launcher: lines, see [`Word`]. Output of the program goes
//! past the launcher straight into the harness's pipes.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus};

use crate::observe;
use crate::sandbox::quota::{self, Quota};
use crate::sandbox::spec::Stdin;
use crate::sandbox::spec::{Limits, Tier};
use crate::sandbox::wire::{Fields, Jail, Reader};

/// The first argument that makes an executable a launcher; no command of anybody's is called so.
pub(crate) const ARGUMENT: &str = "__launch";

/// Between two sweeps through a tree that does not end at once.
const SWEEP: Duration = Duration::from_millis(2);

/// What the launcher tells the harness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// The keeper runs under this process id: everything below it is the program's.
    Keeper(u32),
    /// The program runs; the keeper knows it by this process id.
    Started(u32),
    /// The program could not be started.
    Failed(String),
    /// The program's first process has ended.
    Exited(ExitStatus),
    /// The program passed a limit, in a sentence, and is being ended for it.
    Over(String),
    /// All of its processes have ended, by themselves.
    Empty,
    /// None of the program's processes is left, and the launcher goes, too.
    Gone,
}

impl Word {
    fn to_line(&self) -> String {
        match self {
            Self::Keeper(pid) => format!("keeper {pid}\n"),
            Self::Started(pid) => format!("started {pid}\n"),
            Self::Failed(why) => format!("failed {}\n", why.replace('\n', " ")),
            Self::Exited(status) => format!("exited {}\n", status.into_raw()),
            Self::Over(limit) => format!("over {limit}\n"),
            Self::Empty => "empty\n".to_owned(),
            Self::Gone => "gone\n".to_owned(),
        }
    }

    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "keeper" => Some(Self::Keeper(rest.parse().ok()?)),
            "over" => Some(Self::Over(rest.to_owned())),
            "started" => Some(Self::Started(rest.parse().ok()?)),
            "failed" => Some(Self::Failed(rest.to_owned())),
            "exited" => Some(Self::Exited(ExitStatus::from_raw(rest.parse().ok()?))),
            "empty" => Some(Self::Empty),
            "gone" => Some(Self::Gone),
            _ => None,
        }
    }
}

impl Stdin {
    pub(crate) fn write_to(&self, jail: &Jail, channel: impl Write) -> io::Result<()> {
        Fields::default()
            .number(self.then_end.into())
            .bytes(&self.bytes)
            .jail(jail)
            .write_to(channel)
    }

    fn read_from(channel: impl Read) -> io::Result<(Self, Jail)> {
        let mut fields = Reader::read_from(channel)?;
        let then_end = fields.number()? != 0;
        Ok((Self { bytes: fields.bytes()?, then_end }, fields.jail()?))
    }
}

/// Runs as a launcher if the arguments of this process say so, and then returns its exit status. An
/// executable that links the suite calls this before anything else.
pub(crate) fn enter() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next()?;
    #[cfg(target_os = "linux")]
    if first == crate::sandbox::broker::ARGUMENT {
        return Some(crate::sandbox::broker::serve());
    }
    if first != ARGUMENT {
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
    let (stdin, jail) = Stdin::read_from(&channel)?;
    #[cfg(target_os = "linux")]
    if jail.tier == Tier::Namespaces {
        return launch_in_namespaces(&channel, command, &stdin, &jail);
    }
    say(&channel, &Word::Keeper(std::process::id()))?;
    keep(&channel, command, &stdin, &jail)?;
    say(&channel, &Word::Gone)
}

/// The launcher waits for its keeper, with whose end the kernel has ended everything.
#[cfg(target_os = "linux")]
fn launch_in_namespaces(
    channel: &UnixStream,
    command: &[OsString],
    stdin: &Stdin,
    jail: &Jail,
) -> io::Result<()> {
    use crate::sandbox::enter::{Forked, fork, furnish, leave_the_machine};
    let folder = std::env::current_dir()?;
    if let Err(error) = leave_the_machine(jail) {
        return say(channel, &Word::Failed(format!("no namespaces: {error}")));
    }
    match fork()? {
        Forked::Child => {
            let kept = match furnish(jail, &folder) {
                Ok(()) => keep(channel, command, stdin, jail),
                Err(error) => {
                    say(channel, &Word::Failed(format!("no file tree of its own: {error}")))
                }
            };
            // SAFETY: ends this process at once; nothing that the fork has copied is to be cleaned
            // up here.
            unsafe { libc::_exit(i32::from(kept.is_err())) }
        }
        Forked::Parent(keeper) => {
            say(channel, &Word::Keeper(keeper.as_raw_nonzero().get() as u32))?;
            let_go_of_output()?;
            while let Err(rustix::io::Errno::INTR) =
                rustix::process::waitpid(Some(keeper), WaitOptions::empty())
            {}
            say(channel, &Word::Gone)
        }
    }
}

/// Starts the program and stays with it to its end.
fn keep(channel: &UnixStream, command: &[OsString], stdin: &Stdin, jail: &Jail) -> io::Result<()> {
    let alone = std::process::id() == 1;
    if !alone {
        observe::become_subreaper()?;
    }
    let ours = channel.try_clone()?;
    let (program, input) = match start(command, stdin, jail) {
        Ok(started) => started,
        Err(error) => return say(channel, &Word::Failed(error.to_string())),
    };
    // From here on nothing may fail before the program has ended: where the harness is gone
    // already, its end has come.
    let told = let_go_of_output()
        .and_then(|()| say(channel, &Word::Started(program.as_raw_nonzero().get() as u32)));
    let none_left = reap(ours, program);

    if told.is_ok() && none_left.is_ok() {
        let memory = if jail.has("memory") { jail.reach.limits.memory } else { u64::MAX };
        let limits = Limits { memory, ..jail.reach.limits };
        watch_until_end(channel, Quota::new(limits, alone, jail.reach.write.clone()));
    }
    drop(input);
    // Left out for the self-test alone, whose process ends by itself: no program is ever let live
    // on.
    if jail.probe.is_none() || jail.has("end") {
        end_all(program, none_left.as_ref().ok(), alone);
    }
    Ok(())
}

/// The pipes are the program's alone: their end must mean its end.
fn let_go_of_output() -> io::Result<()> {
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(rustix::stdio::dup2_stderr(&null)?)
}

/// What keeps the program's standard input open.
type HeldInput = Option<std::fs::File>;

fn start(command: &[OsString], stdin: &Stdin, jail: &Jail) -> io::Result<(Pid, HeldInput)> {
    let (theirs, ours) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let program = match jail.tier {
        Tier::Plain => start_plainly(command, theirs, jail.reach.limits)?,
        #[cfg(target_os = "linux")]
        _ => {
            let folder = std::env::current_dir()?;
            crate::sandbox::enter::Inside { jail, command, folder: &folder }.start(theirs)?
        }
        #[cfg(not(target_os = "linux"))]
        _ => return Err(io::Error::other("this system has no confinement")),
    };
    let mut input = std::fs::File::from(ours);
    _ = input.write_all(&stdin.bytes); // a program that does not read its input is free not to
    Ok((program, Some(input).filter(|_| !stdin.then_end)))
}

fn start_plainly(command: &[OsString], input: OwnedFd, limits: Limits) -> io::Result<Pid> {
    limit(limits)?;
    let (executable, arguments) =
        command.split_first().ok_or_else(|| io::Error::other("no program named"))?;
    let child = Command::new(executable)
        .args(arguments)
        .stdin(Stdio::from(input))
        .process_group(0)
        .env("RUST_BACKTRACE", "0")
        .spawn()?;
    Ok(Pid::from_child(&child))
}

fn limit(limits: Limits) -> io::Result<()> {
    let most = limits.descriptors;
    let hard = rustix::process::getrlimit(Resource::Nofile).maximum.unwrap_or(most).min(most);
    rustix::process::setrlimit(
        Resource::Nofile,
        Rlimit { current: Some(hard), maximum: Some(hard) },
    )?;
    // A limit of 0 still feeds a crash reporter through a pipe; one of 1 does not (core(5),
    // kernel/coredump).
    Ok(rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(1), maximum: Some(1) })?)
}

fn say(mut channel: &UnixStream, word: &Word) -> io::Result<()> {
    channel.write_all(word.to_line().as_bytes())
}

/// Collects every process that ends below this one. The receiver hears when none is left.
fn reap(channel: UnixStream, program: Pid) -> io::Result<Receiver<()>> {
    let (none_left, heard): (Sender<()>, _) = std::sync::mpsc::channel();
    std::thread::Builder::new().spawn(move || {
        collect(|pid, status| {
            if pid == program {
                _ = say(&channel, &Word::Exited(exit_status(status)));
            }
        });
        _ = say(&channel, &Word::Empty);
        _ = none_left.send(());
    })?;
    Ok(heard)
}

/// Returns when no child is left, and so no descendant.
fn collect(mut each: impl FnMut(Pid, WaitStatus)) {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) => each(pid, status),
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return, // ECHILD
        }
    }
}

fn exit_status(status: WaitStatus) -> ExitStatus {
    ExitStatus::from_raw(status.as_raw())
}

/// Returns when the harness has closed its side, on purpose or by dying, or when the program has
/// passed a limit. The last look is taken then: on a busy machine it may be the first.
fn watch_until_end(channel: &UnixStream, mut quota: Quota) {
    let interval = Timespec { tv_sec: 0, tv_nsec: quota::INTERVAL.subsec_nanos().into() };
    loop {
        let heard = poll(&mut [PollFd::new(channel, PollFlags::IN)], Some(&interval));
        if let Some(limit) = quota.look() {
            _ = say(channel, &Word::Over(limit));
            return;
        }
        match heard {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// `none_left` hears from the thread that collects what ends; where the machine had none to spare,
/// this one does.
fn end_all(program: Pid, none_left: Option<&Receiver<()>>, alone: bool) {
    _ = rustix::process::kill_process_group(program, Signal::KILL);
    loop {
        if alone {
            kill_everybody_else();
        }
        let over = match none_left {
            Some(none_left) => none_left.recv_timeout(SWEEP) != Err(RecvTimeoutError::Timeout),
            None => collect_one() == Err(rustix::io::Errno::CHILD),
        };
        if over {
            return;
        }
        if !alone {
            kill_descendants();
        }
    }
}

fn collect_one() -> rustix::io::Result<()> {
    std::thread::sleep(SWEEP);
    rustix::process::wait(WaitOptions::NOHANG).map(drop)
}

/// From the first process of a process namespace this reaches all others in it, and nobody else
/// (kill(2)).
#[cfg(target_os = "linux")]
fn kill_everybody_else() {
    // SAFETY: the call takes numbers. It is made as process 1 only.
    unsafe { libc::kill(-1, libc::SIGKILL) };
}

#[cfg(not(target_os = "linux"))]
fn kill_everybody_else() {}

fn kill_descendants() {
    for pid in observe::descendants(std::process::id()) {
        if let Some(pid) = Pid::from_raw(pid as i32) {
            _ = rustix::process::kill_process(pid, Signal::KILL);
        }
    }
}
