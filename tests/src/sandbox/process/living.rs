//! The launchers that are alive, so that a harness that must end can end all programs first.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::observe;
use crate::sandbox::wire::Channel;

static LIVING: Mutex<Living> = Mutex::new(Living { closed: false, all: Vec::new() });

#[derive(Debug)]
struct Living {
    /// Nothing is started any more.
    closed: bool,
    all: Vec<(u32, Channel)>,
}

/// A launcher that is alive; dropped when it has ended.
#[derive(Debug)]
pub(super) struct Registered(u32);

impl Registered {
    /// Adds a launcher; its channel is closed at once if the harness is ending.
    pub(super) fn new(launcher: u32, channel: &Channel) -> io::Result<Self> {
        let channel = channel.try_clone()?;
        let mut living = lock();
        if living.closed {
            _ = channel.finish();
        }
        living.all.push((launcher, channel));
        Ok(Self(launcher))
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        lock().all.retain(|(launcher, _)| *launcher != self.0);
    }
}

fn lock() -> MutexGuard<'static, Living> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all programs and all other children of this process, and waits for that for at most this
/// time. Programs that are started later end at once.
pub fn end_all_programs(within: Duration) {
    let deadline = Instant::now() + within;
    let mut launchers = Vec::new();
    {
        let mut living = lock();
        living.closed = true;
        for (launcher, channel) in &living.all {
            _ = channel.finish();
            launchers.push(*launcher);
        }
    }
    while Instant::now() < deadline && !launchers.iter().all(|launcher| has_ended(*launcher)) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let others = observe::children(std::process::id()).into_iter();
    for pid in others.filter(|child| !launchers.contains(child)).filter_map(process) {
        _ = rustix::process::kill_process(pid, Signal::TERM); // git then removes its locks
    }
}

/// Returns whether a child has ended; its own thread reaps it.
fn has_ended(launcher: u32) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    let Some(pid) = process(launcher) else { return true };
    !matches!(rustix::process::waitid(WaitId::Pid(pid), options), Ok(None))
}

fn process(pid: u32) -> Option<Pid> {
    Pid::from_raw(pid.cast_signed())
}
