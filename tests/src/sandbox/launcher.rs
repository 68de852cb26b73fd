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

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Resource, Signal, WaitOptions, WaitStatus};

#[cfg(target_os = "linux")]
use super::fork::{Forked, fork};
use super::messages::LauncherMessage;
use super::quota::{self, Quota};
use super::spec::{Launch, Limits, Tier};
use super::wire::Channel;
#[cfg(target_os = "linux")]
use super::{broker, enter};
use crate::observe;

/// The first argument that makes an executable a launcher; no command of anybody's is called so.
pub(super) const ARGUMENT: &str = "__launch";

/// Between two sweeps through a tree that does not end at once.
const SWEEP: Duration = Duration::from_millis(2);

/// Runs as a launcher, or as a broker, if the first argument of this process says so, and then
/// returns its exit status. An executable that links the suite calls this before anything else.
pub(crate) fn enter_helper() -> Option<ExitCode> {
    let served = match std::env::args_os().nth(1)? {
        first if first == ARGUMENT => launch(),
        #[cfg(target_os = "linux")]
        first if first == broker::ARGUMENT => broker::serve(),
        _ => return None,
    };
    // The harness sees the channel end too early.
    Some(if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn launch() -> io::Result<()> {
    let mut channel = Channel::of_this_process()?;
    let launch: Launch =
        channel.receive()?.ok_or_else(|| io::Error::other("the harness has gone"))?;
    #[cfg(target_os = "linux")]
    if launch.jail.tier == Tier::Namespaces {
        return launch_in_namespaces(&channel, &launch);
    }
    channel.send(&LauncherMessage::Keeper(std::process::id()))?;
    keep(&channel, &launch)?;
    channel.send(&LauncherMessage::Gone)
}

/// The launcher waits for its keeper, with whose end the kernel has ended everything.
#[cfg(target_os = "linux")]
fn launch_in_namespaces(channel: &Channel, launch: &Launch) -> io::Result<()> {
    let failed = |what, error| channel.send(&LauncherMessage::Failed(format!("{what}: {error}")));
    let folder = std::env::current_dir()?;
    if let Err(error) = enter::leave_the_machine(&launch.jail) {
        return failed("no namespaces", error);
    }
    match fork()? {
        Forked::Child => {
            let kept = match enter::furnish(&launch.jail, &folder) {
                Ok(()) => keep(channel, launch),
                Err(error) => failed("no file tree of its own", error),
            };
            // SAFETY: ends this process at once; nothing that the fork has copied is to be cleaned
            // up here.
            unsafe { libc::_exit(i32::from(kept.is_err())) }
        }
        Forked::Parent(keeper) => {
            channel.send(&LauncherMessage::Keeper(keeper.as_raw_nonzero().get() as u32))?;
            let_go_of_output()?;
            while let Err(rustix::io::Errno::INTR) =
                rustix::process::waitpid(Some(keeper), WaitOptions::empty())
            {}
            channel.send(&LauncherMessage::Gone)
        }
    }
}

/// Starts the program and stays with it to its end.
fn keep(channel: &Channel, launch: &Launch) -> io::Result<()> {
    let jail = &launch.jail;
    let alone = std::process::id() == 1;
    if !alone {
        observe::become_subreaper()?;
    }
    let ours = channel.try_clone()?;
    let (program, stdin) = match start(launch) {
        Ok(started) => started,
        Err(error) => return channel.send(&LauncherMessage::Failed(error.to_string())),
    };
    // From here on nothing may fail before the program has ended: where the harness is gone
    // already, its end has come.
    let told = let_go_of_output().and_then(|()| {
        channel.send(&LauncherMessage::Started(program.as_raw_nonzero().get() as u32))
    });
    let none_left = reap(ours, program);

    if told.is_ok() && none_left.is_ok() {
        let memory = if jail.has("memory") { jail.reach.limits.memory } else { u64::MAX };
        let limits = Limits { memory, ..jail.reach.limits };
        watch_until_end(channel, Quota::new(limits, alone, jail.reach.write.clone()));
    }
    drop(stdin);
    // Left out for the self-test alone, whose process ends by itself: no program is ever let live
    // on.
    if jail.self_test.is_none() || jail.has("end") {
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
type HeldStdin = Option<io::PipeWriter>;

fn start(launch: &Launch) -> io::Result<(Pid, HeldStdin)> {
    let (theirs, mut ours) = io::pipe()?;
    let program = match launch.jail.tier {
        Tier::Plain => start_plainly(launch, theirs.into())?,
        #[cfg(target_os = "linux")]
        _ => enter::start(launch, &std::env::current_dir()?, theirs.into())?,
        #[cfg(not(target_os = "linux"))]
        _ => return Err(io::Error::other("this system has no confinement")),
    };
    _ = ours.write_all(&launch.stdin.bytes); // a program that does not read its input is free not to
    Ok((program, Some(ours).filter(|_| !launch.stdin.then_end)))
}

fn start_plainly(launch: &Launch, stdin: OwnedFd) -> io::Result<Pid> {
    quota::limit(Resource::Nofile, launch.jail.reach.limits.descriptors)?;
    quota::report_no_crash()?;
    let (executable, arguments) =
        launch.command.split_first().ok_or_else(|| io::Error::other("no program named"))?;
    let child = Command::new(executable)
        .args(arguments)
        .stdin(Stdio::from(stdin))
        .process_group(0)
        .env("RUST_BACKTRACE", "0")
        .spawn()?;
    Ok(Pid::from_child(&child))
}

/// Collects every process that ends below this one. The receiver hears when none is left.
fn reap(channel: Channel, program: Pid) -> io::Result<Receiver<()>> {
    let (none_left, heard): (Sender<()>, _) = std::sync::mpsc::channel();
    std::thread::Builder::new().spawn(move || {
        collect(|pid, status| {
            if pid == program {
                _ = channel.send(&LauncherMessage::Exited(status.as_raw()));
            }
        });
        _ = channel.send(&LauncherMessage::Empty);
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

/// Returns when the harness has closed its side, on purpose or by dying, or when the program has
/// passed a limit. The last look is taken then: on a busy machine it may be the first.
fn watch_until_end(channel: &Channel, mut quota: Quota) {
    let interval = Timespec { tv_sec: 0, tv_nsec: quota::INTERVAL.subsec_nanos().into() };
    loop {
        let heard = poll(&mut [PollFd::new(channel, PollFlags::IN)], Some(&interval));
        if let Some(limit) = quota.look() {
            _ = channel.send(&LauncherMessage::Over(limit));
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
