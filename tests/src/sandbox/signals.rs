//! The signals by which a person, a shell or a machine asks the harness to end.

use std::io::{self, Read};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::sync::atomic::{AtomicI32, Ordering};

/// The signals, and their names.
const ENDING: [(libc::c_int, &str); 3] =
    [(libc::SIGINT, "SIGINT"), (libc::SIGTERM, "SIGTERM"), (libc::SIGHUP, "SIGHUP")];

/// Where the handler writes.
static PIPE: AtomicI32 = AtomicI32::new(-1);

/// Calls `act` in a thread with the name of the first such signal that comes. A signal that this
/// process was started to ignore stays ignored, and a second one of the same kind ends the process
/// at once.
pub fn on_ending_signal(act: impl FnOnce(&'static str) + Send + 'static) -> io::Result<()> {
    let (mut reader, writer) = io::pipe()?;
    PIPE.store(writer.as_raw_fd(), Ordering::Relaxed);
    std::thread::Builder::new().spawn(move || {
        let mut signal = [0];
        if reader.read_exact(&mut signal).is_ok() {
            let name = ENDING.iter().find(|(number, _)| *number == libc::c_int::from(signal[0]));
            act(name.map_or("a signal", |(_, name)| name));
        }
    })?;
    _ = writer.into_raw_fd(); // it stays open as long as the process lives
    ENDING.iter().for_each(|(signal, _)| handle(*signal));
    Ok(())
}

/// Installs the handler (sigaction(2)).
fn handle(signal: libc::c_int) {
    // SAFETY: an action is plain data, and all zeros is a valid one. The calls read and write these
    // two alone, and the handler makes only calls that a handler may make (signal-safety(7)).
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut before);
        if before.sa_sigaction == libc::SIG_IGN {
            return;
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = tell as extern "C" fn(libc::c_int) as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART | libc::SA_RESETHAND;
        libc::sigaction(signal, &raw const action, std::ptr::null_mut());
    }
}

extern "C" fn tell(signal: libc::c_int) {
    let byte = signal as u8;
    // SAFETY: the byte lives until the call returns. A pipe with room for a byte does not change
    // errno.
    unsafe { libc::write(PIPE.load(Ordering::Relaxed), (&raw const byte).cast(), 1) };
}
