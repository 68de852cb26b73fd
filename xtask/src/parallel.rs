//! Work in several threads. A machine that cannot start a thread is a fault, not a panic.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, Scope};

use anyhow::bail;
use suite::Fault;

/// Does `work` on all items, `jobs` of them at the same time. `take` gets each result, in the order
/// of the items, as soon as all results before it are there. The first error ends the work.
pub(crate) fn in_order<T: Sync, R: Send>(
    items: &[T],
    jobs: usize,
    work: impl Fn(&T) -> anyhow::Result<R> + Sync,
    mut take: impl FnMut(&T, R) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let worker = &|done: Sender<_>| {
        let mut numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        while let Some((at, item)) = numbers.next().and_then(|at| Some((at, items.get(at)?))) {
            if done.send((at, unless_it_panics(|| work(item)))).is_err() {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        let (done, results) = channel();
        for _ in 0..jobs.min(items.len()) {
            let done = done.clone();
            spawn(scope, move || worker(done))?;
        }
        drop(done);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (at, result) in results {
            early.insert(at, result);
            while let Some(result) = early.remove(&due) {
                take(&items[due], result?)?;
                due += 1;
            }
        }
        Ok(())
    })
}

fn unless_it_panics<R>(work: impl FnOnce() -> anyhow::Result<R>) -> anyhow::Result<R> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(_) => bail!(Fault("a thread of the grader panicked".to_owned())),
    }
}

/// Starts a thread that ends within `scope`.
pub(crate) fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() + Send + 'scope,
) -> Result<(), Fault> {
    Builder::new().spawn_scoped(scope, work).map(drop).map_err(no_thread)
}

/// Starts a thread that ends with the process.
#[cfg(feature = "full")]
pub(crate) fn spawn_detached(work: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
    Builder::new().spawn(work).map(drop).map_err(no_thread)
}

fn no_thread(error: std::io::Error) -> Fault {
    Fault(format!("no thread can be started: {error}; close other programs and try again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_takes_longest() {
        let items: Vec<u64> = (0..20).rev().collect();
        let mut taken = Vec::new();
        let work = |item: &u64| {
            std::thread::sleep(std::time::Duration::from_millis(item % 3));
            Ok(item * 2)
        };
        in_order(&items, 4, work, |item, double| {
            taken.push((*item, double));
            Ok(())
        })
        .unwrap();
        assert_eq!(taken, items.iter().map(|item| (*item, item * 2)).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_and_a_panic_end_it() {
        let ends = |work: fn(&i32) -> anyhow::Result<()>| {
            in_order(&[1, 2, 3], 2, work, |_, ()| Ok(())).unwrap_err()
        };
        assert_eq!(ends(|_| bail!("it is damaged")).to_string(), "it is damaged");
        assert!(ends(|_| panic!("on purpose")).is::<Fault>());
    }
}
