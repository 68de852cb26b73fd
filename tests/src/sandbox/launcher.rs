//! Runs the helper process between the harness and a program: it confines the program, enforces its
//! limits and ends all of its processes.
//!
//! The harness starts its own executable again as a launcher, and the launcher starts the program.
//! The keeper is the launcher itself or, with namespaces, its child (see [`super::enter`]). It
//! adopts the orphans of the program. When its channel closes, because the harness has finished or
//! was killed, it ends every process of the program, and then itself. The launcher judges nothing
//! and prints nothing.
//!
//! The channel is the launcher's standard input, a socket. The harness sends one [`JailedCommand`]
//! and later closes its side. The launcher sends [`LauncherMessage`]s. The program's output does
//! not pass through the launcher: it goes straight into the harness's pipes.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Resource, Signal, WaitOptions, WaitStatus};

#[cfg(target_os = "linux")]
use super::filter::Setting;
use super::group::Joined;
use super::inherited;
#[cfg(target_os = "linux")]
use super::kernel::{Forked, end_with_parent, fork};
use super::lack;
use super::messages::{LAUNCH, LauncherMessage};
use super::not_started::NotStarted;
use super::quota::{self, MemoryFiles, Quota};
#[cfg(target_os = "linux")]
use super::refused::Answers;
use super::settings::without_settings;
use super::spec::{Jail, JailedCommand, Limits, Tier};
use super::wire::Channel;
#[cfg(target_os = "linux")]
use super::{broker, enter, ordinary, users};
use crate::observe;

/// The time between two kills of a tree that does not end at once.
const SWEEP: Duration = Duration::from_millis(2);

/// Runs as a launcher or a broker if the first argument of this process says so, and returns the
/// exit status. An executable that links the suite calls this first: nothing that this process
/// inherits may reach a program, whatever this process is.
pub(crate) fn enter_helper() -> Option<ExitCode> {
    inherited::settle();
    let served = match std::env::args_os().nth(1)? {
        first if first == LAUNCH => launch(),
        #[cfg(target_os = "linux")]
        first if first == ordinary::ARGUMENT => ordinary::serve(),
        #[cfg(target_os = "linux")]
        first if first == broker::ARGUMENT => broker::serve(),
        _ => return None,
    };
    // On an error the harness sees the channel close too early.
    Some(if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn launch() -> io::Result<()> {
    inherited::obey_signals();
    let mut channel = Channel::of_this_process()?;
    let launch: JailedCommand =
        channel.receive()?.ok_or_else(|| io::Error::other("the harness has ended"))?;
    let group = match launch.jail.group.as_ref().map(Joined::open).transpose() {
        Ok(group) => group.map(Arc::new),
        Err(error) => return not_started(&channel, "no control group", &error),
    };
    let user = user_of(&launch);
    if let Err(error) = give_folders(&launch, user) {
        return not_started(&channel, "no folder to build in", &error);
    }
    #[cfg(target_os = "linux")]
    if launch.jail.tier == Tier::Namespaces {
        return launch_in_namespaces(&channel, &launch, user, group.as_ref());
    }
    channel.send(&LauncherMessage::Keeper(std::process::id()))?;
    keep(&channel, &launch, user, group.as_ref())?;
    leave(&channel, group.as_deref())
}

fn not_started(channel: &Channel, what: &str, error: &io::Error) -> io::Result<()> {
    channel.send(&LauncherMessage::Failed(lack::code_of(error), format!("{what}: {error}")))
}

/// Removes the control group, which is empty by now, and says that all is gone.
fn leave(channel: &Channel, group: Option<&Joined>) -> io::Result<()> {
    group.into_iter().for_each(Joined::remove);
    channel.send(&LauncherMessage::Gone)
}

/// Returns the user to become for the program. Only the launcher knows its own process id outside.
fn user_of(launch: &JailedCommand) -> Option<u32> {
    #[cfg(target_os = "linux")]
    if launch.jail.tier != Tier::Plain {
        return users::of_launch(std::process::id());
    }
    let _ = launch;
    None
}

/// Gives the user of a build the folders that it writes to. Another user may have built there.
#[cfg_attr(not(target_os = "linux"), allow(unused_variables, reason = "only Linux has users here"))]
fn give_folders(launch: &JailedCommand, user: Option<u32>) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if let Some(user) = user {
        return launch.jail.reach.write.iter().try_for_each(|folder| users::give(folder, user));
    }
    Ok(())
}

/// Makes the namespaces and waits for the keeper. When the keeper has ended, the kernel has ended
/// everything.
#[cfg(target_os = "linux")]
fn launch_in_namespaces(
    channel: &Channel,
    launch: &JailedCommand,
    user: Option<u32>,
    group: Option<&Arc<Joined>>,
) -> io::Result<()> {
    let folder = std::env::current_dir()?;
    if let Err(error) = enter::leave_the_machine(&launch.jail) {
        return not_started(channel, "no namespaces", &error);
    }
    match fork()? {
        Forked::Child => {
            end_with_parent();
            let furnished = enter::furnish(&launch.jail, &folder, user);
            end_with_parent(); // furnishing changes privileges
            let kept = match furnished {
                Ok(()) => keep(channel, launch, user, group),
                Err(error) => not_started(channel, "no private file tree", &error),
            };
            // SAFETY: this ends the process at once; the fork copied nothing that needs cleaning
            // up.
            unsafe { libc::_exit(i32::from(kept.is_err())) }
        }
        Forked::Parent(keeper) => {
            channel.send(&LauncherMessage::Keeper(keeper.as_raw_nonzero().get() as u32))?;
            let_go_of_output()?;
            while let Err(rustix::io::Errno::INTR) =
                rustix::process::waitpid(Some(keeper), WaitOptions::empty())
            {}
            leave(channel, group.map(Arc::as_ref))
        }
    }
}

/// Lets this process look into those of the program's user. Other privileges reset what ends it with
/// its parent.
#[cfg_attr(not(target_os = "linux"), allow(unused_variables, reason = "only Linux has users here"))]
fn look_as(user: Option<u32>, alone: bool) {
    #[cfg(target_os = "linux")]
    if let Some(user) = user {
        users::look_as(user);
        if alone {
            end_with_parent();
        }
    }
}

/// Starts the program and stays until all of its processes have ended.
fn keep(
    channel: &Channel,
    launch: &JailedCommand,
    user: Option<u32>,
    group: Option<&Arc<Joined>>,
) -> io::Result<()> {
    let jail = &launch.jail;
    let alone = std::process::id() == 1;
    if !alone {
        observe::become_subreaper()?;
    }
    let reports = channel.try_clone()?;
    let Started { program, stdin, listener } = match start(launch, user, group.map(Arc::as_ref)) {
        Ok(started) => started,
        Err(not) => return channel.send(&LauncherMessage::from(not)),
    };
    let files = answered(listener, channel, jail);
    // From here on an error must not skip the program's end. An error in sending means that the
    // harness has ended: then the program ends, too.
    let started = LauncherMessage::Started(program.as_raw_nonzero().get() as u32);
    let told = let_go_of_output().and_then(|()| channel.send(&started));
    let limits = limits(jail);
    let none_left =
        Reaper { reports, program, group: group.cloned(), memory: limits.memory }.begin();

    look_as(user, alone);
    if told.is_ok() && none_left.is_ok() {
        let quota = Quota::new(limits, alone, jail.reach.write.clone());
        watch_until_end(channel, quota.with(files, group.cloned()));
    }
    drop(stdin);
    // Only the self-test can leave this out, and its process ends by itself. A program is never
    // left running.
    if jail.self_test.is_none() || jail.has("end") {
        end_all(program, none_left.as_ref().ok(), alone, group.map(Arc::as_ref));
    }
    Ok(())
}

/// Begins to answer where the kernel asks. Returns the files in memory that are made then.
#[cfg_attr(not(target_os = "linux"), allow(unused_variables, reason = "no kernel asks"))]
fn answered(listener: Option<OwnedFd>, channel: &Channel, jail: &Jail) -> MemoryFiles {
    let files = MemoryFiles::default();
    #[cfg(target_os = "linux")]
    if let Some(listener) = listener {
        _ = answer(listener, channel, jail, files.clone()); // without answers the calls fail, too
    }
    files
}

fn limits(jail: &Jail) -> Limits {
    let memory = if jail.has("memory") { jail.reach.limits.memory } else { u64::MAX };
    Limits { memory, ..jail.reach.limits }
}

/// Closes the launcher's copies of the program's output pipes: a pipe must end when the program
/// ends.
fn let_go_of_output() -> io::Result<()> {
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(rustix::stdio::dup2_stderr(&null)?)
}

/// Answers what the kernel asks about refused calls. A compiler needs no files in memory.
#[cfg(target_os = "linux")]
fn answer(listener: OwnedFd, channel: &Channel, jail: &Jail, files: MemoryFiles) -> io::Result<()> {
    let reports = channel.try_clone()?;
    let files = Some(files).filter(|_| jail.reach.write.is_empty());
    Answers { listener, reports, setting: Setting::of(jail), files }.begin()
}

/// A program that was started.
struct Started {
    program: Pid,
    /// Keeps its standard input open.
    stdin: Option<io::PipeWriter>,
    /// Where the kernel asks about refused calls.
    listener: Option<OwnedFd>,
}

#[cfg_attr(not(target_os = "linux"), allow(unused_variables, reason = "only Linux has users here"))]
fn start(
    launch: &JailedCommand,
    user: Option<u32>,
    group: Option<&Joined>,
) -> Result<Started, NotStarted> {
    let (stdin, mut writer) = io::pipe()?;
    let (program, listener) = match launch.jail.tier {
        Tier::Plain => (start_plainly(launch, stdin.into())?, None),
        #[cfg(target_os = "linux")]
        _ => enter::start(launch, &std::env::current_dir()?, user, stdin.into(), group)?,
        #[cfg(not(target_os = "linux"))]
        _ => return Err(io::Error::other("this system has no confinement").into()),
    };
    _ = writer.write_all(&launch.stdin.bytes); // a program may ignore its input
    let stdin = Some(writer).filter(|_| !launch.stdin.then_end);
    Ok(Started { program, stdin, listener })
}

fn start_plainly(launch: &JailedCommand, stdin: OwnedFd) -> Result<Pid, NotStarted> {
    quota::limit(Resource::Nofile, launch.jail.reach.limits.descriptors)?;
    quota::report_no_crash()?;
    let (executable, arguments) =
        launch.command.split_first().ok_or_else(|| io::Error::other("the command is empty"))?;
    // Nothing may run between fork and exec here: the standard library then executes by another call,
    // which hands a file that is no program to a shell.
    let child = without_settings(&mut Command::new(executable))
        .args(arguments)
        .stdin(Stdio::from(stdin))
        .process_group(0)
        .env("RUST_BACKTRACE", "0")
        .spawn()
        .map_err(|error| NotStarted::of_execution(Path::new(executable), error))?;
    Ok(Pid::from_child(&child))
}

/// Reaps every process that ends below this one.
struct Reaper {
    reports: Channel,
    program: Pid,
    group: Option<Arc<Joined>>,
    /// The limit on memory, in bytes.
    memory: u64,
}

impl Reaper {
    /// Begins in a thread. The receiver is told when no child is left, and so no descendant.
    fn begin(self) -> io::Result<Receiver<()>> {
        let (none_left, told): (Sender<()>, _) = std::sync::mpsc::channel();
        std::thread::Builder::new().spawn(move || {
            loop {
                match rustix::process::wait(WaitOptions::empty()) {
                    Ok(Some((pid, status))) => self.tell(pid, status),
                    Ok(None) | Err(rustix::io::Errno::INTR) => {}
                    Err(_) => break, // ECHILD
                }
            }
            _ = self.reports.send(&LauncherMessage::Empty);
            _ = none_left.send(());
        })?;
        Ok(told)
    }

    /// Tells of the program's end. Where the kernel has ended a process because of its memory, that
    /// is told first.
    fn tell(&self, pid: Pid, status: WaitStatus) {
        let was_killed = status.terminating_signal() == Some(libc::SIGKILL);
        if let Some(group) = self.group.as_ref().filter(|_| was_killed)
            && let Ok(Some(whose)) = group.ran_out()
        {
            _ = self.reports.send(&quota::out_of_memory(whose, self.memory));
        }
        if pid == self.program {
            _ = self.reports.send(&LauncherMessage::Exited(status.as_raw()));
        }
    }
}

/// Returns when the harness has closed its side or has ended, or when the program has passed a
/// limit. The limits are checked before returning: on a busy machine this may be the first check.
fn watch_until_end(channel: &Channel, mut quota: Quota) {
    let interval = Timespec { tv_sec: 0, tv_nsec: quota::INTERVAL.subsec_nanos().into() };
    loop {
        let heard = poll(&mut [PollFd::new(channel, PollFlags::IN)], Some(&interval));
        if let Some(message) = quota.check() {
            _ = channel.send(&message);
            return;
        }
        match heard {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// Ends all processes of the program. `none_left` is told by the thread that reaps; where the
/// machine could not start that thread, this one reaps.
fn end_all(program: Pid, none_left: Option<&Receiver<()>>, alone: bool, group: Option<&Joined>) {
    _ = rustix::process::kill_process_group(program, Signal::KILL);
    loop {
        match group {
            _ if alone => kill_all_others(),
            Some(group) => group.kill(),
            None => {}
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

/// Kills all other processes of the process namespace, and no process outside (kill(2)).
#[cfg(target_os = "linux")]
fn kill_all_others() {
    // SAFETY: the call takes numbers. Only process 1 of a namespace makes it.
    unsafe { libc::kill(-1, libc::SIGKILL) };
}

#[cfg(not(target_os = "linux"))]
fn kill_all_others() {}

fn kill_descendants() {
    for pid in observe::descendants(std::process::id()) {
        if let Some(pid) = Pid::from_raw(pid as i32) {
            _ = rustix::process::kill_process(pid, Signal::KILL);
        }
    }
}
