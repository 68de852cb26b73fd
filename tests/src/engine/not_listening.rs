//! Why a server does not listen.

use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::Arc;

use crate::engine::kept::{ENDED_FOR, FLOOD, MIB, describe};
use crate::engine::snapshot::Snapshot;
use crate::engine::verdict::Failure;
use crate::engine::wait::{GaveUp, Timeout};

/// Why a server does not listen.
#[derive(Debug)]
pub(crate) enum NotListening {
    /// It ended by itself: that may be because another process took its port.
    Ended {
        status: ExitStatus,
        may_have_listened: bool,
        /// Whether the system shows where this program listens.
        is_shown: bool,
    },
    /// It cannot be reached, and the system does not show where else it listens.
    Unseen(Timeout),
    /// The harness ended it for this limit.
    Over(String),
    /// It prints and prints.
    Floods,
    Waits(Timeout),
}

/// A fact: no client could connect to the program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NeverListened {
    /// How it ended, if it did.
    pub(crate) status: Option<ExitStatus>,
    /// Whether the system shows where this program listens. Otherwise it may have an address of its
    /// own.
    pub(crate) is_shown: bool,
}

impl NotListening {
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        match self {
            Self::Ended { status, .. } => Some(*status),
            Self::Over(_) | Self::Floods | Self::Waits(_) | Self::Unseen(_) => None,
        }
    }

    /// Returns whether it only waits, and so may do better where it is started otherwise.
    pub(crate) fn is_at_rest(&self) -> bool {
        match self {
            Self::Waits(timeout) | Self::Unseen(timeout) => {
                matches!(timeout.why, GaveUp::Stuck | GaveUp::Waited(_))
            }
            Self::Ended { .. } | Self::Over(_) | Self::Floods => false,
        }
    }

    /// Returns what the rules may know of it; nothing where the harness ended it.
    pub(crate) fn fact(&self) -> Option<NeverListened> {
        let is_shown = match self {
            Self::Ended { is_shown, .. } => *is_shown,
            Self::Floods | Self::Waits(_) => true,
            Self::Unseen(_) => false,
            Self::Over(_) => return None,
        };
        Some(NeverListened { status: self.status(), is_shown })
    }

    pub(crate) fn failure(&self, expected: SocketAddr) -> Failure {
        let (observed, snapshot): (String, Option<Arc<Snapshot>>) = match self {
            Self::Ended { status, may_have_listened, is_shown } => {
                (stopped_early(*status, *may_have_listened || !is_shown), None)
            }
            Self::Over(limit) => {
                (format!("your server was {ENDED_FOR}{limit}, before it was listening"), None)
            }
            Self::Floods => (
                format!(
                    "no listening socket: your server has printed {} MiB and goes on printing",
                    FLOOD / MIB
                ),
                None,
            ),
            Self::Unseen(timeout) => (NOT_THERE.to_owned(), timeout.snapshot.clone()),
            Self::Waits(timeout) => (no_listening_socket(timeout.why), timeout.snapshot.clone()),
        };
        Failure::new(format!("a server that listens on {expected}"), observed).at(snapshot)
    }
}

/// What is seen of a server that is not reachable, where the system does not show who listens.
const NOT_THERE: &str = "no server there in time; this system does not show where else it listens, \
                         and --address HOST:PORT says so";

fn stopped_early(status: ExitStatus, may_have_listened: bool) -> String {
    let when = if may_have_listened { "a client could connect" } else { "it was listening" };
    format!("your server stopped ({}) before {when}", describe(status))
}

fn no_listening_socket(why: GaveUp) -> String {
    match why {
        GaveUp::Stuck => {
            "no listening socket: your server is waiting for something that will never come"
                .to_owned()
        }
        GaveUp::Waited(time) => format!("no listening socket within {:.1} s", time.as_secs_f64()),
        GaveUp::Worked(time) => {
            format!("no listening socket in {:.1} s of processor time", time.as_secs_f64())
        }
        GaveUp::OverLimit => "no listening socket: the grader ended your server".to_owned(),
    }
}
