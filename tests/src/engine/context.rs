//! Everything shared by the programs and connections of one running check.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use crate::engine::activity::Activity;
use crate::engine::kept::Kept;
use crate::engine::payload::{Payload, Payloads};
use crate::engine::place::Place;
use crate::engine::snapshot::{Blocked, Snapshot};
use crate::engine::transcript::{Event, Record};

/// Everything shared by the programs and connections of one running check. Each part has a lock of
/// its own.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where the programs run.
    pub(crate) place: Place,
    /// What went over the wire.
    pub(crate) record: Record,
    /// Where the bytes come from that are sent.
    pub(crate) payloads: Payloads,
    /// Who is alive and what is under way.
    pub(crate) activity: Activity,
    /// What is kept for afterwards.
    pub(crate) kept: Kept,
}

impl Context {
    pub(crate) fn new(place: Place, payloads: Payloads) -> Self {
        Self {
            place,
            record: Record::new(payloads.large()),
            payloads,
            activity: Activity::default(),
            kept: Kept::default(),
        }
    }

    /// Makes a context for an attempt that leaves no trace in this one. It has a new record, and a
    /// new private network if this one has one.
    pub(crate) fn aside(&self) -> io::Result<Self> {
        Ok(Self::new(self.place.another()?, self.payloads.clone()))
    }

    pub(crate) fn payload(&self) -> Payload {
        self.payloads.payload()
    }

    /// Returns where all programs are now; `None` if all of them have ended.
    pub(crate) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        let blocked = match self.activity.program_states(&self.record.sent()) {
            Some(programs) if programs.is_empty() => return None,
            Some(programs) => Blocked::At(programs),
            None => Blocked::CannotSee,
        };
        Some(Arc::new(Snapshot { blocked, stderr_tail: self.kept.stderr_tail() }))
    }

    /// Takes what this check, or this attempt, leaves as evidence once its programs have ended.
    pub(crate) fn take_scene(&self) -> Scene {
        Scene {
            began: self.record.began_at(),
            transcript: self.record.take_events(),
            stderr_tail: self.kept.stderr_tail(),
            stdout_tail: self.kept.stdout_tail(),
            ended: self.kept.ended(),
        }
    }
}

/// What a check, or an attempt beside it, leaves as evidence.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) began: SystemTime,
    pub(crate) transcript: Vec<Event>,
    pub(crate) stderr_tail: Vec<u8>,
    pub(crate) stdout_tail: Vec<u8>,
    /// How a program ended that should have gone on.
    pub(crate) ended: Option<String>,
}
