//! Why a server does not listen.

use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::Arc;

use crate::engine::kept::{ENDED_FOR, FLOOD, MIB, describe};
use crate::engine::snapshot::Snapshot;
use crate::engine::verdict::Failure;
use crate::engine::wait::{GaveUp, Timeout};
use crate::observe::SHOWS_LISTENERS;

/// Why a server does not listen.
#[derive(Debug)]
pub(crate) enum NotListening {
    /// It ended by itself: that may be because another process took its port.
    Ended {
        status: ExitStatus,
        may_have_listened: bool,
    },
    /// The harness ended it for this limit.
    Over(String),
    /// It prints and prints.
    Floods,
    Waits(Timeout),
}

/// A fact: the program never listened. The exit status is there if it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NeverListened(pub(crate) Option<ExitStatus>);

impl NotListening {
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        match self {
            Self::Ended { status, .. } => Some(*status),
            Self::Over(_) | Self::Floods | Self::Waits(_) => None,
        }
    }

    /// Returns whether it only waits, and so may do better where it is started otherwise.
    pub(crate) fn is_at_rest(&self) -> bool {
        matches!(self, Self::Waits(Timeout { why: GaveUp::Stuck | GaveUp::Waited(_), .. }))
    }

    /// Returns what the rules may know of it; nothing where the harness ended it.
    pub(crate) fn fact(&self) -> Option<NeverListened> {
        (!matches!(self, Self::Over(_))).then(|| NeverListened(self.status()))
    }

    pub(crate) fn failure(&self, expected: SocketAddr) -> Failure {
        let (observed, snapshot): (String, Option<Arc<Snapshot>>) = match self {
            Self::Ended { status, may_have_listened } => {
                (stopped_early(*status, *may_have_listened), None)
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
            Self::Waits(timeout) if !SHOWS_LISTENERS => {
                (NOT_THERE.to_owned(), timeout.snapshot.clone())
            }
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
