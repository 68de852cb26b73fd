//! Undoes what a process inherits from its parent and would hand on to programs: ignored and
//! blocked signals, and the mask of new files.
//!
//! A parent that ignores SIGCHLD makes every wait for a child fail. `nohup` ignores SIGHUP, and a
//! shell ignores SIGINT for its background jobs. A mask of 077 hides from the programs' user what
//! root makes for them.

use rustix::fs::Mode;

/// Makes children waitable, and what this process makes readable. Only a process with one thread
/// may call this.
pub(crate) fn settle() {
    obey(libc::SIGCHLD);
    rustix::process::umask(Mode::from_raw_mode(0o022));
}

/// Resets every ignored signal and blocks none, for the program that this process becomes or
/// starts. SIGPIPE stays: the standard library ignores it, and resets it where it starts a program.
pub(super) fn obey_signals() {
    // SAFETY: a set of signals is plain data. The calls read and write this one alone.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
    (1..=LAST).filter(|signal| *signal != libc::SIGPIPE).for_each(obey);
}

/// The highest number of a signal on any system.
const LAST: libc::c_int = 64;

/// Resets a signal that is ignored (sigaction(2)).
fn obey(signal: libc::c_int) {
    // SAFETY: an action is plain data, and all zeros is a valid one, the default. The calls read
    // and write these two alone. A number that is no signal is an error.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let known = libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0;
        if known && action.sa_sigaction == libc::SIG_IGN {
            let usual: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, &raw const usual, std::ptr::null_mut());
        }
    }
}
