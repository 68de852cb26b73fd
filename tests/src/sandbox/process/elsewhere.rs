//! A program started directly, on systems without the launcher: its first process is ended, and
//! what that started is not known.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::observe::Tree;
use crate::sandbox::output::{Output, Stream};
use crate::sandbox::spec::Launch;

/// What is in the pipes after its end. A process that it has started may hold them open for as long
/// as it likes.
const REST_OF_OUTPUT: Duration = Duration::from_secs(2);

/// Between two questions whether the process has ended: the one place where such a system must be
/// asked again and again.
const ASKING: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Open for as long as the program is not to see its end.
    stdin: Option<ChildStdin>,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

impl Process {
    pub(crate) fn start(_executable: &Path, folder: &Path, launch: &Launch) -> io::Result<Self> {
        let (program, arguments) =
            launch.command.split_first().ok_or_else(|| io::Error::other("no program named"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let mut process =
            Self { child, stdin, stdout: Output::default(), stderr: Output::default() };
        let most = launch.jail.reach.limits.output;
        process.stdout = drain(stdout, most)?;
        process.stderr = drain(stderr, most)?;
        if let Some(pipe) = &mut process.stdin {
            _ = pipe.write_all(&launch.stdin.bytes);
        }
        process.stdin.take_if(|_| launch.stdin.then_end);
        Ok(process)
    }

    /// No limit is watched here.
    pub(crate) fn over(&self) -> Option<String> {
        None
    }

    pub(crate) fn tree(&self) -> Tree {
        let no_launcher = 0;
        Tree::new(no_launcher, self.child.id())
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

fn drain(stream: Option<impl Stream>, most: u64) -> io::Result<Output> {
    let flooded = || {}; // it is noticed when the program is asked for
    Ok(stream.map(|stream| Output::drain(stream, most, flooded)).transpose()?.unwrap_or_default())
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.end();
    }
}
