//! A server that has nothing to do rests: it waits in a call and uses next to no processor time.

use std::time::{Duration, Instant};

use crate::engine::diagnose::Failed;
use crate::engine::program::Program;
use crate::engine::verdict::Failure;
use crate::observe::ProcessTree;
use crate::practicals::shared::clients::connect_one_by_one;
use crate::practicals::shared::dialogue::Dialogue;

/// A fact: the share of a processor, in per cent, that the program used while no client spoke.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Busy(pub(crate) u32);

/// A fact: the same share, measured before any client disconnected or half-closed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BusyWithNobodyGone(u32);

/// A fact: the number of descriptors that the busy program wanted to write to, as far as its
/// selector shows that.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WaitsToWrite(pub(crate) usize);

impl BusyWithNobodyGone {
    /// Measures the share of a processor that a fresh process uses while silent clients are
    /// connected and no client has disconnected yet.
    pub(crate) fn measure(
        server: &Program,
        dialogue: &dyn Dialogue,
        clients: usize,
    ) -> Option<Self> {
        const WINDOW: Duration = Duration::from_millis(200);
        let attempt = |server: &Program| {
            let mut payload = server.payload();
            let running = server.launch()?;
            let _silent = connect_one_by_one(&running, dialogue, clients, &mut payload)?;
            Ok(Self(percent(busy_share(running.tree(), WINDOW))))
        };
        server.try_aside(attempt).ok()
    }

    /// Returns whether the program rests in that situation.
    pub(crate) fn is_little(&self) -> bool {
        const LITTLE: u32 = 3;
        self.0 <= LITTLE
    }
}

/// Returns the share of a processor that the program used in this check, in per cent.
pub(crate) fn busy(failed: Failed<'_>) -> Option<u32> {
    failed.fact(|Busy(percent)| Some(*percent))
}

/// Holds when the program uses less than 5 % of a processor.
pub(crate) fn uses_little_time(tree: ProcessTree, silent: usize) -> Result<(), Failure> {
    const LIMIT: f64 = 0.05;
    /// Far from the limit the first window decides; near it, the longest does.
    const WINDOWS: [Duration; 3] =
        [Duration::from_millis(300), Duration::from_millis(700), Duration::from_millis(1500)];
    let mut share = 0.0;
    for window in WINDOWS {
        share = busy_share(tree, window);
        if !(LIMIT / 2.0..LIMIT * 4.0).contains(&share) {
            break;
        }
    }
    if share < LIMIT {
        return Ok(());
    }
    let expected = format!("less than 5 % of a processor with {silent} silent clients connected");
    Err(Failure::new(expected, format!("{:.0} %", share * 100.0))
        .with(Busy(percent(share)))
        .with(WaitsToWrite(tree.waits_to_write().unwrap_or(0))))
}

/// Returns the share of a processor that the program uses just now, in per cent.
pub(crate) fn percent_busy(tree: ProcessTree) -> u32 {
    percent(busy_share(tree, Duration::from_millis(250)))
}

fn percent(share: f64) -> u32 {
    (share * 100.0) as u32
}

/// What a program did since the begin of a window.
#[derive(Debug, Clone, Copy)]
struct Spent {
    passed: Duration,
    ran: Duration,
    /// The time in the run queue that is accounted for. The kernel adds a stretch of it only when
    /// the thread runs again, so the last stretch is missing.
    queued: Duration,
    /// Whether a thread runs or waits for a processor now.
    is_running: bool,
    /// The share of the looks at which a thread ran or waited for a processor.
    ready: f64,
}

impl Spent {
    /// Returns the share of one processor that the program used of its own time, which is all time
    /// but that in the run queue. Returns `None` where the window is too short to tell.
    fn share(&self, window: Duration) -> Option<f64> {
        let own_time = self.passed.saturating_sub(self.queued).max(self.ran);
        let share = self.ran.as_secs_f64() / own_time.as_secs_f64().max(f64::MIN_POSITIVE);
        let is_hidden = self.hidden() >= self.passed.mul_f64(MUCH);
        // A thread that waits for a processor has time in the queue that nothing shows yet: it
        // looks as if it rested.
        let is_told = own_time >= window && (!self.is_running && !is_hidden || share >= MUCH);
        let is_much = self.ran >= window.mul_f64(MUCH) && share >= MUCH;
        match is_told || is_much {
            true => Some(share),
            false => self.is_hidden_for_long(window).then(|| self.share_at_last(window)),
        }
    }

    /// Returns whether threads ran for most of many windows, and the kernel shows little of it.
    fn is_hidden_for_long(&self, window: Duration) -> bool {
        const MANY: u32 = 5;
        const MOST: f64 = 0.5;
        self.passed >= window * MANY && self.hidden() >= self.passed.mul_f64(MOST)
    }

    /// Returns a share where the machine is so busy that no window was long enough.
    fn share_at_last(&self, window: Duration) -> f64 {
        let own_time = self.passed.saturating_sub(self.queued).max(self.ran).max(window / 4);
        let hidden = Some(self.hidden()).filter(|hidden| *hidden >= self.passed.mul_f64(MUCH));
        let used = self.ran + hidden.unwrap_or_default();
        used.as_secs_f64() / own_time.as_secs_f64()
    }

    /// Returns the time in which threads ran that the kernel shows no more: those of processes
    /// that ended without a parent that waited for them.
    fn hidden(&self) -> Duration {
        self.passed.mul_f64(self.ready).saturating_sub(self.ran + self.queued)
    }
}

/// From this share of a time on, it is much.
const MUCH: f64 = 0.2;

/// How often a program was looked at, and how often it was seen to run.
#[derive(Debug, Default)]
struct Looks {
    all: u32,
    ready: u32,
}

impl Looks {
    /// Looks after a pause of another length each time: no rhythm of the program's hides its runs.
    fn look(&mut self, tree: ProcessTree) {
        std::thread::sleep(Duration::from_millis(fastrand::u64(10..=30)));
        self.all += 1;
        self.ready += u32::from(tree.is_ready());
    }

    fn share(&self) -> f64 {
        f64::from(self.ready) / f64::from(self.all.max(1))
    }
}

/// Returns the share of one processor that the program uses, measured over `window` of its own
/// time. On a busy machine that takes longer.
fn busy_share(tree: ProcessTree, window: Duration) -> f64 {
    let longest = (window * 30).min(Duration::from_secs(9));
    let (began, before, total_before) = (Instant::now(), tree.cpu_time(), tree.total_cpu_time());
    let mut looks = Looks::default();
    loop {
        looks.look(tree);
        let passed = began.elapsed();
        if passed < window {
            continue;
        }
        let is_running = tree.is_running();
        let spent = tree.cpu_time().unwrap_or_default().since(before.unwrap_or_default());
        // Clock ticks are coarse: they count only where they show what ended threads have used.
        let tick = Duration::from_millis(20);
        let total = tree.total_cpu_time().unwrap_or_default();
        let total = total.saturating_sub(total_before.unwrap_or_default()).saturating_sub(tick);
        let ran = spent.ran.max(total);
        let spent = Spent { passed, ran, queued: spent.queued, is_running, ready: looks.share() };
        match spent.share(window) {
            Some(share) => return share,
            None if passed > longest => return spent.share_at_last(window),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_millis(300);

    #[track_caller]
    fn check([passed, ran, queued]: [u64; 3], is_running: bool, per_cent: Option<u32>) {
        let [passed, ran, queued] = [passed, ran, queued].map(Duration::from_millis);
        let spent = Spent { passed, ran, queued, is_running, ready: 0.0 };
        assert_eq!(spent.share(WINDOW).map(percent), per_cent);
    }

    #[test]
    fn on_an_idle_machine_one_window_tells() {
        check([300, 300, 0], true, Some(100));
        check([300, 3, 0], false, Some(1));
    }

    #[test]
    fn a_program_that_waits_for_a_processor_does_not_rest() {
        check([300, 0, 0], true, None);
        check([600, 3, 590], true, None);
        check([2000, 70, 1930], true, Some(100));
    }

    #[test]
    fn time_in_the_run_queue_is_not_its_own() {
        check([400, 1, 250], false, None);
        check([700, 3, 380], false, Some(0));
    }

    #[test]
    fn a_window_that_never_gets_long_enough_counts_at_last() {
        let time = Duration::from_millis;
        let spent = Spent {
            passed: time(9000),
            ran: time(50),
            queued: time(8950),
            is_running: true,
            ready: 1.0,
        };
        assert_eq!(percent(spent.share_at_last(WINDOW)), 66);
    }

    #[test]
    fn time_of_children_that_no_process_waits_for_counts() {
        let time = Duration::from_millis;
        let spent = |passed, ready| Spent {
            passed: time(passed),
            ran: time(10),
            queued: time(10),
            is_running: false,
            ready,
        };
        assert_eq!(spent(320, 0.9).share(WINDOW), None);
        assert_eq!(spent(320, 0.1).share(WINDOW).map(percent), Some(3));
        assert_eq!(spent(1500, 0.9).share(WINDOW).map(percent), Some(89));
        assert_eq!(spent(1500, 0.4).share(WINDOW), None);
        assert_eq!(percent(spent(9000, 0.4).share_at_last(WINDOW)), 39);
    }
}
