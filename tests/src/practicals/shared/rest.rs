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

fn percent(share: f64) -> u32 {
    (share * 100.0) as u32
}

/// Returns the share of one processor that the program uses. Time in which the program waited for
/// a processor does not count.
fn busy_share(tree: ProcessTree, window: Duration) -> f64 {
    let (began, before, total_before) = (Instant::now(), tree.cpu_time(), tree.total_cpu_time());
    std::thread::sleep(window); // the window is what is measured
    let passed = began.elapsed();
    let spent = tree.cpu_time().unwrap_or_default().since(before.unwrap_or_default());
    // Clock ticks are coarse: they count only where they show what ended threads have used.
    let tick = Duration::from_millis(20);
    let total = tree
        .total_cpu_time()
        .unwrap_or_default()
        .saturating_sub(total_before.unwrap_or_default())
        .saturating_sub(tick);
    let could_have = passed.saturating_sub(spent.queued.min(passed * 3 / 4));
    spent.ran.max(total).as_secs_f64() / could_have.as_secs_f64()
}
