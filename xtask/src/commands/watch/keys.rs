//! Single keys from a terminal, without Enter and without an echo. Without a terminal there are no
//! keys.

use std::io::{IsTerminal, Read};
#[cfg(unix)]
use std::sync::OnceLock;
use std::sync::mpsc::Sender;

#[cfg(unix)]
use rustix::termios::Termios;
use suite::Fault;

use super::News;
#[cfg(unix)]
use crate::interruption;
use crate::parallel;

/// Ctrl-C: it comes as a key, so that the terminal can be restored.
pub(super) const INTERRUPT: u8 = 3;

/// Restores the terminal when dropped.
pub(super) struct Keys;

/// How the terminal was.
#[cfg(unix)]
static BEFORE: OnceLock<Termios> = OnceLock::new();

impl Keys {
    pub(super) fn open(sender: Sender<News>) -> Result<Option<Self>, Fault> {
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return Ok(None);
        }
        let Some(keys) = Self::prepare() else { return Ok(None) };
        parallel::spawn_detached(move || {
            let keys = std::io::stdin().lock().bytes().map_while(Result::ok);
            for key in keys.filter(|key| !key.is_ascii_whitespace()) {
                if sender.send(News::Key(key)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Some(keys))
    }

    #[cfg(unix)]
    fn prepare() -> Option<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).ok()?;
        let mut single = before.clone();
        _ = BEFORE.set(before);
        interruption::at_the_end(restore);
        single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        tcsetattr(&stdin, OptionalActions::Now, &single).ok()?;
        Some(Self)
    }

    /// On other systems a key counts after Enter.
    #[cfg(not(unix))]
    fn prepare() -> Option<Self> {
        Some(Self)
    }
}

#[cfg(unix)]
fn restore() {
    use rustix::termios::{OptionalActions, tcsetattr};
    if let Some(before) = BEFORE.get() {
        _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
    }
}

#[cfg(unix)]
impl Drop for Keys {
    fn drop(&mut self) {
        restore();
    }
}
