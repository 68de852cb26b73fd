//! What ends the process after a signal.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::WRITING;
use crate::exit;
use crate::terminal;

/// How long files that are being written, and programs that are ending, are waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What else is to be done at such an end.
static AT_THE_END: Mutex<Option<fn()>> = Mutex::new(None);

/// Expects signals from here on. Where no thread can be started for that, a signal ends the
/// process as usual.
pub(crate) fn expect() {
    _ = suite::on_ending_signal(end);
}

/// Calls this at such an end, too.
#[cfg(feature = "full")]
pub(crate) fn at_the_end(act: fn()) {
    *AT_THE_END.lock().unwrap_or_else(PoisonError::into_inner) = Some(act);
}

fn end(signal: &str) {
    let deadline = Instant::now() + PATIENCE;
    let _alone = loop {
        match WRITING.try_write() {
            Err(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
            alone => break alone,
        }
    };
    suite::end_all_programs(PATIENCE);
    suite::remove_scratch();
    if let Some(act) = *AT_THE_END.lock().unwrap_or_else(PoisonError::into_inner) {
        act();
    }
    let (red, reset) = (terminal::RED, terminal::RED.render_reset());
    let line = format!("{red}error{reset}: ended by {signal} before it was done\n");
    let clear = if terminal::is_live() { terminal::CLEAR_LINE } else { "" };
    // The lock is kept, so that this line is the last one.
    let mut stderr = anstream::stderr().lock();
    _ = write!(stderr, "{clear}{line}");
    std::process::exit(exit::FAULT.into());
}
