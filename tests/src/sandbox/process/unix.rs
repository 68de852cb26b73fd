//! Runs a program under a launcher (see [`crate::sandbox::launcher`]).

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::living::Registered;
use crate::observe::{self, ProcessTree};
use crate::sandbox::messages::{LAUNCH, LauncherMessage};
use crate::sandbox::not_started::NotStarted;
use crate::sandbox::output::{Output, Stream};
use crate::sandbox::spec::{Jail, JailedCommand, Tier};
use crate::sandbox::wire::{Came, Channel};
use crate::sandbox::{group, lack};

/// The time that the launcher may take, on a busy machine, to end all processes and to say so.
const ENDING: Duration = Duration::from_secs(20);

/// The time to read what is left in the pipes after the last process has ended. More is needed only
/// where a process outside of the tree holds a pipe.
const REST_OF_OUTPUT: Duration = Duration::from_secs(10);

/// A launched program with all of its processes.
#[derive(Debug)]
pub(crate) struct Process {
    launcher: Child,
    _registered: Registered,
    channel: Channel,
    heard: Heard,
    program: u32,
    most_output: u64,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

/// What the launcher has sent so far.
#[derive(Debug, Default)]
struct Heard {
    keeper: Option<u32>,
    started: Option<u32>,
    not_started: Option<NotStarted>,
    exited: Option<ExitStatus>,
    over: Option<String>,
    starved: bool,
    refused: Vec<String>,
    empty: bool,
    gone: bool,
    /// The launcher has closed its side.
    silent: bool,
}

impl Process {
    /// Starts a program in `folder`.
    pub(crate) fn start(
        executable: &Path,
        folder: &Path,
        launch: &JailedCommand,
    ) -> Result<Self, NotStarted> {
        let (channel, theirs) = Channel::pair()?;
        let mut launcher = launcher(executable, folder, &launch.jail, theirs).spawn()?;
        let _registered = Registered::new(launcher.id(), &channel)?;
        let most_output = launch.jail.reach.limits.output;
        let stdout = drain(launcher.stdout.take(), most_output, &channel)?;
        let stderr = drain(launcher.stderr.take(), most_output, &channel)?;
        let heard = Heard::default();
        let mut process =
            Self { launcher, _registered, channel, heard, program: 0, most_output, stdout, stderr };
        process.channel.send(launch)?;
        process.hear_of_its_start()?;
        Ok(process)
    }

    fn hear_of_its_start(&mut self) -> Result<(), NotStarted> {
        while self.heard.not_started.is_none()
            && (self.heard.started.is_none() || self.heard.keeper.is_none())
        {
            if !self.listen(ENDING)? {
                return Err(io::Error::other("the launcher did not start the program").into());
            }
        }
        if let Some(not) = self.heard.not_started.take() {
            return Err(not);
        }
        self.program = self.find_program();
        Ok(())
    }

    /// Returns the kernel's view of the program.
    pub(crate) fn tree(&self) -> ProcessTree {
        ProcessTree::new(self.heard.keeper.unwrap_or_default(), self.program)
    }

    /// Finds the program's process id. In a process namespace the keeper knows it by another one:
    /// there the program is the keeper's first child.
    fn find_program(&self) -> u32 {
        let own = self.heard.started.unwrap_or_default();
        let keeper = self.heard.keeper.unwrap_or_default();
        if keeper == self.launcher.id() {
            return own;
        }
        observe::children(keeper)
            .first()
            .copied()
            .or_else(|| observe::descendants(keeper).first().copied())
            .unwrap_or_default()
    }

    /// Returns the limit that the program was ended for, in a sentence with the number.
    pub(crate) fn over(&self) -> Option<String> {
        const MIB: u64 = 1024 * 1024;
        let most = self.most_output;
        let flooded =
            [&self.stdout, &self.stderr].into_iter().any(|output| output.total() as u64 > most);
        self.heard.over.clone().or_else(|| {
            flooded.then(|| format!("more than {} MiB of output, which is the limit", most / MIB))
        })
    }

    /// Returns the calls that the confinement has refused, each once.
    pub(crate) fn refused(&self) -> &[String] {
        &self.heard.refused
    }

    /// Returns how the first process ended; waits for that for at most `within`.
    pub(crate) fn exited(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        if self.heard.exited.is_none() {
            self.listen(within)?;
        }
        self.heard.check_memory()?;
        match self.heard.exited {
            None if self.heard.silent => {
                Err(io::Error::other("the launcher ended before the program"))
            }
            exited => Ok(exited),
        }
    }

    /// Returns the same once no process is left: a server may live on in a process that its first
    /// one started.
    pub(crate) fn ended(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        if !self.heard.empty && !self.heard.silent {
            self.listen(within)?;
        }
        self.heard.check_memory()?;
        if self.heard.silent && !self.heard.empty {
            return Err(io::Error::other("the launcher ended before the program"));
        }
        Ok(self.heard.exited.filter(|_| self.heard.empty))
    }

    /// Ends all of the program's processes and waits until they have gone.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        if self.heard.gone {
            return Ok(());
        }
        self.channel.finish()?;
        while !self.heard.gone && self.listen(ENDING)? {}
        if !self.heard.gone {
            // The launcher is not killed here: it still ends what is left.
            if self.heard.silent {
                self.end_without_launcher();
            }
            return Err(io::Error::other("the launcher ended before it had ended the program"));
        }
        self.launcher.wait()?;
        self.stdout.wait_for_end(REST_OF_OUTPUT);
        self.stderr.wait_for_end(REST_OF_OUTPUT);
        Ok(())
    }

    /// Ends the program where its launcher was killed from outside. In a process namespace the
    /// kernel does this.
    fn end_without_launcher(&mut self) {
        _ = self.launcher.try_wait();
        let is_shared = self.heard.keeper == Some(self.launcher.id());
        let Some(program) = self.heard.started.filter(|_| is_shared && !self.heard.empty) else {
            return;
        };
        let below = observe::descendants(program);
        let pid = |pid: u32| Pid::from_raw(pid.cast_signed());
        _ = pid(program).map(|group| rustix::process::kill_process_group(group, Signal::KILL));
        for pid in below.into_iter().filter_map(pid) {
            _ = rustix::process::kill_process(pid, Signal::KILL);
        }
    }

    /// Returns whether the launcher or the keeper was killed: the program was then ended with it, or
    /// later, and what it did last is no evidence.
    pub(crate) fn is_lost(&self) -> bool {
        (self.heard.gone || self.heard.silent) && !self.heard.empty && self.over().is_none()
    }

    /// Takes in what the launcher sends within this time. Returns `false` where nothing came, or
    /// nothing more can come.
    fn listen(&mut self, within: Duration) -> io::Result<bool> {
        let came = self.channel.wait(within)?;
        while let Some(message) = self.channel.next()? {
            self.heard.note(message);
        }
        self.heard.silent = came == Came::End;
        Ok(came == Came::Something)
    }
}

impl Heard {
    /// Returns an error where the machine had too little memory: that is no fault of the program.
    fn check_memory(&self) -> io::Result<()> {
        if !self.starved {
            return Ok(());
        }
        Err(io::Error::other(too_little_memory()))
    }

    fn note(&mut self, message: LauncherMessage) {
        match message {
            LauncherMessage::Keeper(pid) => self.keeper = Some(pid),
            LauncherMessage::Started(pid) => self.started = Some(pid),
            LauncherMessage::Failed(code, why) => {
                self.not_started = Some(NotStarted::Fault(lack::told(code, why)));
            }
            LauncherMessage::Unusable(why) => self.not_started = Some(NotStarted::Unusable(why)),
            LauncherMessage::Exited(status) => self.exited = Some(ExitStatus::from_raw(status)),
            LauncherMessage::Over(limit) => self.over = Some(limit),
            LauncherMessage::Starved => self.starved = true,
            LauncherMessage::Refused(call) => self.refused.push(call),
            LauncherMessage::Empty => self.empty = true,
            LauncherMessage::Gone => self.gone = true,
        }
    }
}

fn too_little_memory() -> String {
    const MIB: u64 = 1024 * 1024;
    let all =
        group::memory_of_machine().map_or(String::new(), |all| format!(" of {} MiB", all / MIB));
    format!(
        "the memory{all} that this machine or container has was used up, and the program lost a \
         process: give it more, or grade fewer submissions at the same time"
    )
}

/// Returns the command of a launcher: the harness's executable, which talks to the harness over
/// `stdin`.
fn launcher(executable: &Path, folder: &Path, jail: &Jail, stdin: OwnedFd) -> Command {
    let mut launcher = Command::new(executable);
    if jail.tier != Tier::Plain && jail.has("environment") {
        launcher.env_clear();
    }
    launcher
        .arg(LAUNCH)
        .current_dir(folder)
        .process_group(0) // Ctrl-C must reach the harness alone; the launcher ends after it
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    launcher
}

/// Reads a stream to its end. Where that is too much, it ends the program.
fn drain(stream: Option<impl Stream>, most: u64, channel: &Channel) -> io::Result<Output> {
    let channel = channel.try_clone()?;
    let end = move || _ = channel.finish();
    Ok(stream.map(|stream| Output::drain(stream, most, end)).transpose()?.unwrap_or_default())
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.end();
    }
}
