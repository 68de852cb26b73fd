//! How long a wait may last: the one place where deadlines come from.
//!
//! Proof ends a wait early: the kernel shows that the program can only wait for ever. A limit on
//! the time in which *the program waits* ends it late. Time in which the program works, or waits
//! for a processor on a busy machine, does not count. Neither does time in which the harness itself
//! could not run. Two further limits make sure that every wait ends.

mod printing;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::context::Context;
use crate::engine::snapshot::Snapshot;
use crate::observe::{CpuTime, SendQueues, Standstill};
use printing::Printing;

#[cfg(test)]
mod tests;

/// A reply may begin this long after its bytes came.
pub(crate) const REPLY: Deadline = Deadline::waiting(Duration::from_secs(1));

/// For checks that expect silence: a timeout is success.
pub(crate) const SILENCE: Deadline = Deadline { decides: false, ..REPLY };

/// A server has this long to listen.
///
/// 10 s of processor time are what two processors can give in those 5 s: a server that needs more
/// cannot keep them on an idle machine either. The wall time is less than the minute for which the
/// kernel keeps the port of a stopped server, so that waiting for that never helps.
pub(crate) const STARTING: Deadline = Deadline {
    waiting: Duration::from_secs(5),
    working: Duration::from_secs(10),
    wall: Duration::from_secs(55),
    decides: true,
};

impl Deadline {
    /// Returns the same deadline for a program that is started again, which has spent this much
    /// processor time since its first start. It may spend more, but not for ever.
    pub(crate) fn of_another_start(self, spent: Duration) -> Self {
        const MORE: u32 = 4;
        let working = (WORK_IN_A_LOOP + spent * MORE).min(self.working);
        Self { working, ..self }
    }
}

/// A program has this long to exit, a client this long to close.
pub(crate) const ENDING: Deadline = Deadline::waiting(Duration::from_secs(5));

/// A server has this long to let go of its sockets after the last client closed.
pub(crate) const LETTING_GO: Deadline = Deadline::waiting(Duration::from_secs(2));

/// A program that may be dying, by what a peer has seen, has this long to be gone.
pub(crate) const DYING: Deadline = Deadline::of_its_own_time(Duration::from_millis(250));

/// A server that listens has this long to come to rest before its first client connects.
pub(crate) const COMING_TO_REST: Deadline = Deadline::of_its_own_time(Duration::from_millis(150));

/// A program that has taken nothing for this long takes no more.
pub(crate) const TAKING: Deadline = Deadline {
    waiting: Duration::from_millis(300),
    working: Duration::from_secs(1),
    wall: Duration::from_secs(90),
    decides: false,
};

/// No wait ends while bytes come at least this fast, in bytes per second.
const SLOWEST_STREAM: f64 = 64.0 * 1024.0;

/// A program that works for this long, and nothing comes of it, is in a loop.
const MOST_WORK: Duration = Duration::from_secs(4);

/// The same for a program that was in a loop before.
const WORK_IN_A_LOOP: Duration = Duration::from_secs(1);

/// The first waits are short, so that a right program costs only what it needs.
const FIRST_SLICE: Duration = Duration::from_micros(400);
const LONGEST_SLICE: Duration = Duration::from_millis(25);

/// Before this long nothing is asked of the kernel: most waits are over by then.
const BEFORE_LOOKING: Duration = Duration::from_micros(900);

/// Before this long the program's own work is not told from its waiting: all of it counts as work.
const BEFORE_COUNTING: Duration = Duration::from_millis(40);

/// What one wait may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    /// Time in which the program itself waits.
    pub(crate) waiting: Duration,
    /// Processor time that it may spend without anything coming of it.
    working: Duration,
    /// Wall time without progress, on a busy machine too.
    wall: Duration,
    /// A timeout speaks against the program, so where the program was then is evidence.
    decides: bool,
}

impl Deadline {
    /// For a peer that is slow on purpose: it waits this long unless nothing can move before.
    pub(crate) const fn at_most(wall: Duration) -> Self {
        Self { waiting: wall, working: wall, wall, decides: false }
    }

    /// The same in the program's own time, which it spends waiting or working: a busy machine takes
    /// none of it.
    const fn of_its_own_time(at_most: Duration) -> Self {
        Self { waiting: at_most, working: at_most, wall: Duration::from_secs(10), decides: false }
    }

    /// For a wait that counts the time in which the program itself waits.
    pub(crate) const fn waiting(waiting: Duration) -> Self {
        Self { waiting, working: MOST_WORK, wall: Duration::from_secs(90), decides: true }
    }
}

/// What counts as proof that a program can only wait for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Every thread of every program of the check is blocked without a time limit, twice in a row
    /// with no context switch in between, and the send queues are as still as this.
    Of(SendQueues),
    /// Nothing: what is waited for may come from elsewhere.
    Nothing,
}

/// For verdicts: nothing is queued anywhere.
pub(crate) const STUCK: Proof = Proof::Of(SendQueues::Empty);

/// For peers that do not read on purpose.
pub(crate) const STALLED: Proof = Proof::Of(SendQueues::Stalled);

/// Why a wait was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GaveUp {
    /// Every thread of the program waits for something that never comes.
    Stuck,
    /// The program waited for this long.
    Waited(Duration),
    /// The program used this much processor time.
    Worked(Duration),
    /// The harness ended the program because it passed a limit.
    OverLimit,
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stuck => {
                f.write_str("nothing: your program is waiting for something that will never come")
            }
            Self::Waited(time) => write!(f, "nothing more within {:.1} s", time.as_secs_f64()),
            Self::Worked(time) => {
                write!(f, "nothing in {:.1} s of processor time", time.as_secs_f64())
            }
            Self::OverLimit => f.write_str("nothing: the grader ended your program"),
        }
    }
}

/// A wait that ended without what was waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timeout {
    pub(crate) why: GaveUp,
    /// Where the programs were then, where that speaks against them.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
}

/// One wait for something that a program should do.
pub(crate) struct Wait<'a> {
    context: &'a Context,
    deadline: Deadline,
    began: Instant,
    last_look: Instant,
    cpu_time: Option<CpuTime>,
    /// Since the last progress.
    waited: Duration,
    worked: Duration,
    printing: Printing,
    /// Work and queueing that is not yet set against the clock.
    busy: Duration,
    /// Over the whole wait, against streams that trickle.
    waited_in_all: Duration,
    /// The same, whether the program worked or waited.
    passed_in_all: Duration,
    bytes: usize,
    slice: Duration,
    /// A picture of the program in which nothing can move, and when it was done.
    still: Option<(Instant, Vec<Standstill>)>,
    proof: Proof,
    /// Since the last progress, by the wall clock.
    since_progress: Instant,
}

impl<'a> Wait<'a> {
    pub(crate) fn new(context: &'a Context, deadline: Deadline, proof: Proof) -> Self {
        context.activity.end_what_was_left();
        Self::that_leaves_all_as_it_is(context, deadline, proof)
    }

    /// Makes a wait that ends no connection that a peer has left.
    pub(crate) fn that_leaves_all_as_it_is(
        context: &'a Context,
        deadline: Deadline,
        proof: Proof,
    ) -> Self {
        let now = Instant::now();
        Self {
            context,
            deadline,
            began: now,
            last_look: now,
            cpu_time: None,
            waited: Duration::ZERO,
            worked: Duration::ZERO,
            printing: Printing::after(context.kept.printed()),
            busy: Duration::ZERO,
            waited_in_all: Duration::ZERO,
            passed_in_all: Duration::ZERO,
            bytes: 0,
            slice: FIRST_SLICE,
            still: None,
            proof,
            since_progress: now,
        }
    }

    /// How long to wait for the event before [`Wait::gives_up`] is asked.
    pub(crate) fn slice(&self) -> Duration {
        self.slice
    }

    /// Something came: the wait begins anew, but for streams slower than the contract allows.
    pub(crate) fn progress(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.waited = Duration::ZERO;
        self.worked = Duration::ZERO;
        self.busy = Duration::ZERO;
        self.slice = FIRST_SLICE;
        self.still = None;
        self.last_look = Instant::now();
        self.since_progress = self.last_look;
    }

    /// A slice went by in which the program could not move, because the harness's own bytes had not
    /// come to it. It does not count.
    pub(crate) fn stand_by(&mut self) {
        self.last_look = Instant::now();
        self.slice = LONGEST_SLICE;
        self.still = None;
    }

    /// Returns whether the limits of the wall clock have passed, which no slowness of the machine
    /// moves: without progress, in all, and for the whole submission.
    pub(crate) fn is_over(&self) -> bool {
        const IN_ALL: u32 = 4;
        let in_all = self.deadline.wall * IN_ALL + self.time_for_bytes();
        self.since_progress.elapsed() > self.deadline.wall
            || self.began.elapsed() > in_all
            || self.context.is_out_of_time()
    }

    /// Returns why the wait ends, if it does, now that a slice went by and nothing came.
    pub(crate) fn gives_up(&mut self) -> Option<GaveUp> {
        let passed = self.last_look.elapsed();
        // A harness that was kept from running has not been waiting.
        let counted = passed.min(self.slice * 2);
        self.last_look = Instant::now();
        self.slice = (self.slice * 3 / 2).min(LONGEST_SLICE);
        if self.is_over() {
            let is_at_work = self.worked > self.waited;
            let in_all = self.since_progress.elapsed();
            return Some(if is_at_work {
                GaveUp::Worked(self.worked)
            } else {
                GaveUp::Waited(in_all)
            });
        }
        self.passed_in_all += counted;
        let short = self.since_progress.elapsed() <= BEFORE_COUNTING.min(self.deadline.waiting / 2);
        if !short || self.passed_in_all > self.deadline.waiting {
            let waited = self.waiting_part(counted);
            self.waited += waited;
            self.waited_in_all += waited;
        }
        self.verdict()
    }

    /// Ends the wait after its last look found nothing.
    pub(crate) fn time_out(&self, why: GaveUp) -> Timeout {
        let snapshot = self.deadline.decides.then(|| self.context.snapshot()).flatten();
        Timeout { why, snapshot }
    }

    fn time_for_bytes(&self) -> Duration {
        Duration::from_secs_f64(self.bytes as f64 / SLOWEST_STREAM)
    }

    /// The part of `counted` in which the program waited. A thread's time in the run queue is
    /// accounted for only once it runs again, all of it at once: what exceeds this slice is set
    /// against the ones to come.
    fn waiting_part(&mut self, counted: Duration) -> Duration {
        let cpu_time = self.context.activity.cpu_time();
        if cpu_time.is_none() && self.printing.goes_on(self.context.kept.printed(), counted) {
            return Duration::ZERO;
        }
        let spent = match (cpu_time, self.cpu_time) {
            (Some(now), Some(before)) => now.since(before),
            _ => CpuTime::default(),
        };
        self.cpu_time = cpu_time;
        self.worked += spent.ran;
        self.busy += spent.ran + spent.queued;
        let busy = self.busy.min(self.waited + counted);
        self.busy -= busy;
        if busy > counted {
            // It was no waiting after all.
            let mistaken = busy - counted;
            self.waited -= mistaken;
            self.waited_in_all = self.waited_in_all.saturating_sub(mistaken);
        }
        let runs = self.context.activity.is_running();
        if runs { Duration::ZERO } else { counted.saturating_sub(busy) }
    }

    fn verdict(&mut self) -> Option<GaveUp> {
        let trickle = self.deadline.waiting * 2 + self.time_for_bytes();
        if self.waited >= self.deadline.waiting || self.waited_in_all >= trickle {
            return Some(GaveUp::Waited(self.waited.max(self.deadline.waiting)));
        }
        if self.worked >= self.most_work() {
            if self.deadline.decides {
                self.context.note_loop();
            }
            return Some(GaveUp::Worked(self.worked));
        }
        // Looking at hundreds of threads takes a while: it is done once that is little beside the
        // wait.
        let worth_it = self.since_progress.elapsed()
            >= BEFORE_LOOKING.max(self.context.activity.cost_of_looking() * 2);
        if worth_it { self.prove() } else { None }
    }

    /// The limit on fruitless work. Once a check has seen a program reach it, it need not see that
    /// as long again: the attempts that find the cause would wait for the same loop. A program that
    /// keeps the socket of a client whose stream has ended most likely reads from it, again and
    /// again.
    fn most_work(&self) -> Duration {
        let may_be_in_a_loop = self.deadline.working == MOST_WORK && self.worked >= WORK_IN_A_LOOP;
        let is_known =
            || self.context.has_seen_a_loop() || self.context.activity.keeps_an_ended_client();
        if may_be_in_a_loop && is_known() { WORK_IN_A_LOOP } else { self.deadline.working }
    }

    /// Two pictures in which nothing can move, with no context switch between them.
    fn prove(&mut self) -> Option<GaveUp> {
        let Proof::Of(queues) = self.proof else { return None };
        let before = self.still.take();
        let earliest = before.as_ref().map_or_else(Instant::now, |(done, _)| *done);
        let now = self.context.activity.standstill(earliest, queues)?;
        let proved = before.is_some_and(|(_, picture)| picture == now);
        self.still = Some((Instant::now(), now));
        proved.then_some(GaveUp::Stuck)
    }
}

/// Waits until `done` returns something. `done` itself waits for at most the slice that it is
/// given.
pub(crate) fn wait_for<T>(
    mut wait: Wait<'_>,
    mut done: impl FnMut(Duration) -> Option<T>,
) -> Result<T, Timeout> {
    loop {
        if let Some(value) = done(wait.slice()) {
            return Ok(value);
        }
        if let Some(why) = wait.gives_up() {
            // What came while that was decided still counts.
            return done(Duration::ZERO).ok_or_else(|| wait.time_out(why));
        }
    }
}

/// Gives a program time to do the wrong thing: until nothing in it can move, or for `at_most` of
/// its own time. Returns whether it is proved that nothing can move.
pub(crate) fn settle(context: &Context, at_most: Duration, proof: Proof) -> bool {
    let wait = Wait::new(context, Deadline::of_its_own_time(at_most), proof);
    let waited = wait_for(wait, |slice| {
        std::thread::sleep(slice); // the event is that nothing happens
        None::<()>
    });
    waited.is_err_and(|timeout| timeout.why == GaveUp::Stuck)
}
