//! Everything shared by the programs and connections of one running check.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use crate::engine::activity::Activity;
use crate::engine::budget::Budget;
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
    /// The time in which the submission must be done.
    budget: Budget,
    /// Whether a program of this check was seen in a loop. Attempts share what is known.
    in_a_loop: Arc<AtomicBool>,
}

impl Context {
    pub(crate) fn new(place: Place, payloads: Payloads, budget: Budget) -> Self {
        Self {
            place,
            record: Record::new(payloads.large()),
            payloads,
            activity: Activity::default(),
            kept: Kept::default(),
            budget,
            in_a_loop: Arc::default(),
        }
    }

    /// Keeps loops where the other checks of the same program find them.
    pub(crate) fn with_loops_of(self, in_a_loop: Arc<AtomicBool>) -> Self {
        Self { in_a_loop, ..self }
    }

    /// Keeps that a program of this check works and works and nothing comes of it.
    pub(crate) fn note_loop(&self) {
        self.in_a_loop.store(true, Ordering::Relaxed);
    }

    /// Returns whether that was seen before.
    pub(crate) fn has_seen_a_loop(&self) -> bool {
        self.in_a_loop.load(Ordering::Relaxed)
    }

    /// Returns whether the time for the submission has passed. No wait goes on then.
    pub(crate) fn is_out_of_time(&self) -> bool {
        self.budget.is_over()
    }

    /// Makes a context for an attempt that leaves no trace in this one. It has a new record, and a
    /// new private network if this one has one.
    pub(crate) fn aside(&self) -> io::Result<Self> {
        let aside = Self::new(self.place.another()?, self.payloads.clone(), self.budget);
        Ok(Self { in_a_loop: self.in_a_loop.clone(), ..aside })
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

    /// Returns what a program leaves as evidence that has not got so far as to a conversation.
    pub(crate) fn scene_of_start(&self) -> Scene {
        Scene {
            began: self.record.began_at(),
            transcript: Vec::new(),
            stderr_tail: self.kept.stderr_tail(),
            stdout_tail: self.kept.stdout_tail(),
            ended: self.kept.ended(),
            over: self.kept.over(),
            refused: self.kept.refused(),
        }
    }

    /// Takes what this check, or this attempt, leaves as evidence once its programs have ended.
    pub(crate) fn take_scene(&self) -> Scene {
        Scene { transcript: self.record.take_events(), ..self.scene_of_start() }
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
    /// The limit for which the harness ended a program.
    pub(crate) over: Option<String>,
    /// The calls that the confinement has refused.
    pub(crate) refused: Vec<String>,
}
