//! Runs a program without a launcher, on systems other than Unix. Only its first process can be
//! ended: the processes that it started are not known.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::observe::ProcessTree;
use crate::sandbox::not_started::NotStarted;
use crate::sandbox::output::{Output, Stream};
use crate::sandbox::settings::without_settings;
use crate::sandbox::spec::{JailedCommand, Stdin};

/// The time to read what is left in the pipes. A process that the program started may hold them
/// open.
const REST_OF_OUTPUT: Duration = Duration::from_secs(2);

/// The time between two checks whether the process has ended. Only such systems must poll for that.
const ASKING: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Open while the program must not see the end of its input.
    _stdin: OpenInput,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

impl Process {
    pub(crate) fn start(
        _executable: &Path,
        folder: &Path,
        launch: &JailedCommand,
    ) -> Result<Self, NotStarted> {
        let (program, arguments) =
            launch.command.split_first().ok_or_else(|| io::Error::other("the command is empty"))?;
        let mut child = without_settings(&mut Command::new(program))
            .args(arguments)
            .current_dir(folder)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| NotStarted::of_execution(Path::new(program), error))?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (none, not_yet) = (Arc::default(), Output::default);
        let mut process = Self { child, _stdin: none, stdout: not_yet(), stderr: not_yet() };
        let most = launch.jail.reach.limits.output;
        process.stdout = drain(stdout, most)?;
        process.stderr = drain(stderr, most)?;
        process._stdin = type_into(stdin, launch.stdin.clone())?;
        Ok(process)
    }

    /// Returns `false`: no other process keeps the program on these systems.
    pub(crate) fn is_lost(&self) -> bool {
        false
    }

    /// Returns `None`: no limit is checked on these systems.
    pub(crate) fn over(&self) -> Option<String> {
        None
    }

    /// Returns nothing: these systems refuse no calls.
    pub(crate) fn refused(&self) -> &[String] {
        &[]
    }

    pub(crate) fn tree(&self) -> ProcessTree {
        let no_launcher = 0;
        ProcessTree::new(no_launcher, self.child.id())
    }

    pub(crate) fn exited(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + within;
        loop {
            let status = self.child.try_wait()?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            std::thread::sleep(ASKING);
        }
    }

    pub(crate) fn ended(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        self.exited(within)
    }

    pub(crate) fn end(&mut self) -> io::Result<()> {
        if self.child.try_wait()?.is_none() {
            _ = self.child.kill();
            self.child.wait()?;
        }
        self.stdout.wait_for_end(REST_OF_OUTPUT);
        self.stderr.wait_for_end(REST_OF_OUTPUT);
        Ok(())
    }
}

/// The end of a pipe that stays open as long as this value lives.
type OpenInput = Arc<Mutex<Option<ChildStdin>>>;

/// Writes the program's input in a thread: a program that does not read must not stop the harness.
fn type_into(pipe: Option<ChildStdin>, input: Stdin) -> io::Result<OpenInput> {
    let open = OpenInput::default();
    let Some(mut pipe) = pipe else { return Ok(open) };
    let kept = open.clone();
    std::thread::Builder::new().spawn(move || {
        _ = pipe.write_all(&input.bytes);
        if !input.then_end {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(pipe);
        }
    })?;
    Ok(open)
}

fn drain(stream: Option<impl Stream>, most: u64) -> io::Result<Output> {
    let flooded = || {}; // the total is checked when the program is asked for
    Ok(stream.map(|stream| Output::drain(stream, most, flooded)).transpose()?.unwrap_or_default())
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.end();
    }
}
