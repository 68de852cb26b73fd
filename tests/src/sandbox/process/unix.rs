//! A program under a launcher: see [`crate::sandbox::launcher`].

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::observe::{self, Tree};
use crate::sandbox::launcher;
use crate::sandbox::messages::LauncherMessage;
use crate::sandbox::output::{Output, Stream};
use crate::sandbox::spec::{Jail, Launch, Tier};
use crate::sandbox::wire::{Came, Channel};

/// How long the launcher may take to end a tree, and to say so, on a machine that is busy with
/// other things.
const ENDING: Duration = Duration::from_secs(20);

/// After the end of the last process its pipes hold at most what is in them, and who reads it may
/// have to wait for a processor. It takes longer only where somebody outside of the tree has a
/// pipe's end.
const REST_OF_OUTPUT: Duration = Duration::from_secs(10);

/// A launched program: all of its processes.
#[derive(Debug)]
pub(crate) struct Process {
    launcher: Child,
    channel: Channel,
    heard: Heard,
    program: u32,
    most_output: u64,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

/// What the launcher has told so far.
#[derive(Debug, Default)]
struct Heard {
    keeper: Option<u32>,
    started: Option<u32>,
    failed: Option<String>,
    exited: Option<ExitStatus>,
    over: Option<String>,
    empty: bool,
    gone: bool,
    /// Nothing more will come.
    silent: bool,
}

impl Process {
    /// Starts a program in `folder`. An error here is the harness's own.
    pub(crate) fn start(executable: &Path, folder: &Path, launch: &Launch) -> io::Result<Self> {
        let (channel, theirs) = Channel::pair()?;
        let mut launcher = launcher(executable, folder, &launch.jail, theirs).spawn()?;
        let most_output = launch.jail.reach.limits.output;
        let stdout = drain(launcher.stdout.take(), most_output, &channel)?;
        let stderr = drain(launcher.stderr.take(), most_output, &channel)?;
        let heard = Heard::default();
        let mut process =
            Self { launcher, channel, heard, program: 0, most_output, stdout, stderr };
        process.channel.send(launch)?;
        process.hear_of_its_start()?;
        Ok(process)
    }

    fn hear_of_its_start(&mut self) -> io::Result<()> {
        while self.heard.failed.is_none()
            && (self.heard.started.is_none() || self.heard.keeper.is_none())
        {
            if !self.listen(ENDING)? {
                return Err(io::Error::other("the launcher did not start the program"));
            }
        }
        if let Some(why) = &self.heard.failed {
            return Err(io::Error::other(why.clone()));
        }
        self.program = self.find_program();
        Ok(())
    }

    /// The kernel's view of it.
    pub(crate) fn tree(&self) -> Tree {
        Tree::new(self.heard.keeper.unwrap_or_default(), self.program)
    }

    /// The keeper may know the program by another id than this process does: then it is the
    /// keeper's first child.
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

    /// Which limit it passed, in a sentence with its figure, if it was ended for that.
    pub(crate) fn over(&self) -> Option<String> {
        const MIB: u64 = 1024 * 1024;
        let most = self.most_output;
        let flooded =
            [&self.stdout, &self.stderr].into_iter().any(|output| output.total() as u64 > most);
        self.heard.over.clone().or_else(|| {
            flooded.then(|| format!("more than {} MiB of output: that is its limit", most / MIB))
        })
    }

    /// How its first process ended, if it did; waits for that for at most `within`.
    pub(crate) fn exited(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        if self.heard.exited.is_none() {
            self.listen(within)?;
        }
        match self.heard.exited {
            None if self.heard.silent => {
                Err(io::Error::other("the launcher ended before the program"))
            }
            exited => Ok(exited),
        }
    }

    /// The same, once none of its processes is left: a server may go on in a process that its first
    /// one has started.
    pub(crate) fn ended(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        if !self.heard.empty && !self.heard.silent {
            self.listen(within)?;
        }
        if self.heard.silent && !self.heard.empty {
            return Err(io::Error::other("the launcher ended before the program"));
        }
        Ok(self.heard.exited.filter(|_| self.heard.empty))
    }

    /// Ends all of its processes, whatever they do, and waits until they are gone.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        if self.heard.gone {
            return Ok(());
        }
        self.channel.finish()?;
        while !self.heard.gone && self.listen(ENDING)? {}
        if !self.heard.gone {
            // It goes on ending what is left: without it nobody would.
            return Err(io::Error::other(
                "the launcher went without saying that the program is gone",
            ));
        }
        self.launcher.wait()?;
        self.stdout.wait_for_end(REST_OF_OUTPUT);
        self.stderr.wait_for_end(REST_OF_OUTPUT);
        Ok(())
    }

    /// Hears what the launcher says within this time; `false` where nothing came in it, or nothing
    /// more can come.
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
    fn note(&mut self, message: LauncherMessage) {
        match message {
            LauncherMessage::Keeper(pid) => self.keeper = Some(pid),
            LauncherMessage::Started(pid) => self.started = Some(pid),
            LauncherMessage::Failed(why) => self.failed = Some(why),
            LauncherMessage::Exited(status) => self.exited = Some(ExitStatus::from_raw(status)),
            LauncherMessage::Over(limit) => self.over = Some(limit),
            LauncherMessage::Empty => self.empty = true,
            LauncherMessage::Gone => self.gone = true,
        }
    }
}

/// The harness's own executable in its other part, which reads from `stdin` what it runs and tells
/// there what happens.
fn launcher(executable: &Path, folder: &Path, jail: &Jail, stdin: OwnedFd) -> Command {
    let mut launcher = Command::new(executable);
    if jail.tier != Tier::Plain && jail.has("environment") {
        launcher.env_clear();
    }
    launcher
        .arg(launcher::ARGUMENT)
        .current_dir(folder)
        .process_group(0) // Ctrl-C is for the harness, whose end is the launcher's signal
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    launcher
}

/// Reads a stream to its end; where that is too much, it ends the program.
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
