//! A program under a launcher: see [`crate::sandbox::launcher`].

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::observe::{self, Tree};
use crate::sandbox::Tier;
use crate::sandbox::launcher::{self, Word};
use crate::sandbox::output::{Output, Stream};
use crate::sandbox::process::Orders;
use crate::sandbox::wire::Chamber;

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
    channel: UnixStream,
    heard: Vec<u8>,
    keeper: Option<u32>,
    program: u32,
    started: Option<u32>,
    over: Option<String>,
    most_output: u64,
    failed: Option<String>,
    exited: Option<ExitStatus>,
    empty: bool,
    gone: bool,
    silent: bool,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

impl Process {
    /// Starts `command` in `folder`. An error here is the harness's own.
    pub(crate) fn start(
        executable: &Path,
        command: &[OsString],
        folder: &Path,
        orders: &Orders,
        chamber: &Chamber,
    ) -> io::Result<Self> {
        let (channel, theirs) = UnixStream::pair()?;
        let mut launcher = launcher(executable, command, folder, chamber, theirs).spawn()?;
        let most_output = chamber.reach.limits.output;
        let stdout = drain(launcher.stdout.take(), most_output, &channel)?;
        let stderr = drain(launcher.stderr.take(), most_output, &channel)?;
        let mut process = Self {
            launcher,
            channel,
            heard: Vec::new(),
            keeper: None,
            program: 0,
            started: None,
            over: None,
            most_output,
            failed: None,
            exited: None,
            empty: false,
            gone: false,
            silent: false,
            stdout,
            stderr,
        };
        orders.write_to(chamber, &process.channel)?;
        process.hear_of_its_start()?;
        Ok(process)
    }

    fn hear_of_its_start(&mut self) -> io::Result<()> {
        while (self.started.is_none() || self.keeper.is_none()) && self.failed.is_none() {
            if !self.listen(ENDING)? {
                return Err(io::Error::other("the launcher did not start the program"));
            }
        }
        if let Some(why) = &self.failed {
            return Err(io::Error::other(why.clone()));
        }
        self.program = self.find_program();
        Ok(())
    }

    /// The kernel's view of it.
    pub(crate) fn tree(&self) -> Tree {
        Tree::new(self.keeper.unwrap_or_default(), self.program)
    }

    /// The keeper may know the program by another id than this process does: then it is the
    /// keeper's first child.
    fn find_program(&self) -> u32 {
        let own = self.started.unwrap_or_default();
        let keeper = self.keeper.unwrap_or_default();
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
        self.over.clone().or_else(|| {
            flooded.then(|| format!("more than {} MiB of output: that is its limit", most / MIB))
        })
    }

    /// How its first process ended, if it did; waits for that for at most `within`.
    pub(crate) fn exited(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        if self.exited.is_none() {
            self.listen(within)?;
        }
        match self.exited {
            None if self.silent => Err(io::Error::other("the launcher ended before the program")),
            exited => Ok(exited),
        }
    }

    /// The same, once none of its processes is left: a server may go on in a process that its first
    /// one has started.
    pub(crate) fn ended(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        if !self.empty && !self.silent {
            self.listen(within)?;
        }
        if self.silent && !self.empty {
            return Err(io::Error::other("the launcher ended before the program"));
        }
        Ok(self.exited.filter(|_| self.empty))
    }

    /// Ends all of its processes, whatever they do, and waits until they are gone.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        self.channel.shutdown(std::net::Shutdown::Write)?;
        while !self.gone && self.listen(ENDING)? {}
        if !self.gone {
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
        let timeout =
            Timespec { tv_sec: within.as_secs() as i64, tv_nsec: within.subsec_nanos().into() };
        let mut asked = [PollFd::new(&self.channel, PollFlags::IN)];
        match poll(&mut asked, Some(&timeout)) {
            Ok(0) => return Ok(false),
            Err(rustix::io::Errno::INTR) => return Ok(true),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let mut buffer = [0; 512];
        let read = self.channel.read(&mut buffer)?;
        self.heard.extend(&buffer[..read]);
        while let Some(end) = self.heard.iter().position(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(&self.heard[..end]).into_owned();
            self.heard.drain(..=end);
            self.hear(&line);
        }
        self.silent = read == 0;
        Ok(!self.silent)
    }

    fn hear(&mut self, line: &str) {
        match Word::from_line(line) {
            Some(Word::Keeper(pid)) => self.keeper = Some(pid),
            Some(Word::Over(limit)) => self.over = Some(limit),
            Some(Word::Started(pid)) => self.started = Some(pid),
            Some(Word::Failed(why)) => self.failed = Some(why),
            Some(Word::Exited(status)) => self.exited = Some(status),
            Some(Word::Empty) => self.empty = true,
            Some(Word::Gone) => self.gone = true,
            None => {}
        }
    }
}

/// The harness's own executable in its other part, which reads its orders from `orders` and tells
/// there what happens.
fn launcher(
    executable: &Path,
    program: &[OsString],
    folder: &Path,
    chamber: &Chamber,
    orders: UnixStream,
) -> Command {
    let mut launcher = Command::new(executable);
    if chamber.tier != Tier::Plain && chamber.has("environment") {
        launcher.env_clear();
    }
    launcher
        .arg(launcher::ARGUMENT)
        .args(program)
        .current_dir(folder)
        .process_group(0) // Ctrl-C is for the harness, whose end is the launcher's signal
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(orders)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    launcher
}

/// Reads a stream to its end; where that is too much, it ends the program.
fn drain(stream: Option<impl Stream>, most: u64, channel: &UnixStream) -> io::Result<Output> {
    let channel = channel.try_clone()?;
    let end = move || _ = channel.shutdown(std::net::Shutdown::Write);
    Ok(stream.map(|stream| Output::drain(stream, most, end)).unwrap_or_default())
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.end();
    }
}
