//! Whether one thread does all of a program's work with its sockets.
//!
//! A runtime has threads of its own: Node's pool, Java's collector and compilers. They touch no
//! socket, so they do not count. Three signs tell the others: they wait for a socket, there is one
//! more for each connection, or they work whenever a peer speaks.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::engine::context::Context;
use crate::engine::sight;
use crate::engine::verdict::{Failure, Outcome, Stop};
use crate::engine::wait;
use crate::observe::{ProcessTree, Runs, TaskCounts};
use crate::practicals::shared::AFTERMATH;

/// A fact: there were this many threads for the sockets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Threads(pub(super) usize);

/// Counts all tasks of a program, once nothing moves in it.
pub(super) fn tasks_at_rest(context: &Context, tree: ProcessTree) -> Result<TaskCounts, Stop> {
    wait::settle(context, AFTERMATH, wait::STALLED);
    sight::see(context, tree, ProcessTree::tasks)
}

/// At most one thread waits for sockets. Returns how many there are, once nothing moves.
pub(super) fn waits_in_one_thread(
    context: &Context,
    tree: ProcessTree,
    when: &str,
) -> Result<TaskCounts, Stop> {
    let tasks = tasks_at_rest(context, tree)?;
    if is_one(tasks) {
        return Ok(tasks);
    }
    let waiting = sight::see(context, tree, ProcessTree::waiting_for_sockets)?;
    let is_fine = waiting.threads <= 1;
    if is_fine { Ok(tasks) } else { Err(too_many(waiting, "wait for sockets", when)) }
}

/// The number of tasks does not grow with the number of connections.
pub(super) fn does_not_grow(few: TaskCounts, now: TaskCounts, by: usize, when: &str) -> Outcome {
    // A runtime may start a few threads at any time.
    let has_grown = now.threads >= few.threads + by / 2;
    // A program that had one thread has no runtime that starts others.
    let has_help = is_one(few) && !is_one(now);
    if has_grown || has_help { Err(too_many(now, "exist", when)) } else { Ok(()) }
}

fn is_one(tasks: TaskCounts) -> bool {
    tasks.processes <= 1 && tasks.threads <= 1
}

fn too_many(tasks: TaskCounts, what: &str, when: &str) -> Stop {
    let threads = format!("{} threads {what}", tasks.threads);
    let observed = match tasks.processes {
        0 | 1 => threads,
        processes => format!("{processes} processes with {threads}"),
    };
    Failure::new(expected(when), observed).with(Threads(tasks.threads)).into()
}

fn expected(when: &str) -> String {
    format!("one thread for all sockets {when}")
}

/// How often a peer speaks while the program's threads are watched.
const ROUNDS: usize = 12;

/// While a peer speaks, one thread works. `speak` makes the program work and gets the number of the
/// round.
pub(super) fn one_thread_works(
    context: &Context,
    tree: ProcessTree,
    when: &str,
    mut speak: impl FnMut(usize) -> Outcome,
) -> Outcome {
    let mut rounds = Vec::new();
    for number in 0..ROUNDS {
        let Some(round) = watched(context, tree, || speak(number))? else { return Ok(()) };
        rounds.push(round);
    }
    let beside = beside_the_first(&rounds);
    if beside.speaking < beside.silent + ROUNDS * 3 / 4 {
        return Ok(());
    }
    let times = beside.speaking;
    let observed = format!("a second thread or process worked in {times} of {ROUNDS} exchanges");
    Err(Failure::new(expected(when), observed).into())
}

/// The threads of a program before a peer spoke, after it, and after as long a time of silence.
struct Round {
    before: Runs,
    spoken: Runs,
    silent: Runs,
}

/// Returns `None` where this system does not show it.
fn watched(
    context: &Context,
    tree: ProcessTree,
    speak: impl FnOnce() -> Outcome,
) -> Result<Option<Round>, Stop> {
    const PAUSE: Duration = Duration::from_millis(3);
    wait::settle(context, PAUSE, wait::STUCK);
    let began = Instant::now();
    let before = tree.runs();
    speak()?;
    wait::settle(context, PAUSE, wait::STUCK);
    let spoken = tree.runs();
    std::thread::sleep(began.elapsed()); // the window is what is measured
    let silent = tree.runs();
    let all = before.zip(spoken).zip(silent);
    Ok(all.map(|((before, spoken), silent)| Round { before, spoken, silent }))
}

/// In how many rounds another task worked than the one that works most.
#[derive(Debug, PartialEq, Eq)]
struct Beside {
    speaking: usize,
    silent: usize,
}

fn beside_the_first(rounds: &[Round]) -> Beside {
    let mut worked: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for round in rounds {
        round
            .spoken
            .at_work_since(&round.before)
            .for_each(|it| *worked.entry(it).or_default() += 1);
    }
    let first = worked.iter().max_by_key(|(_, times)| **times).map(|(thread, _)| *thread);
    let has_help = |later: &Runs, earlier: &Runs| {
        later.at_work_since(earlier).any(|thread| Some(thread) != first)
            || later.shows_ended_since(earlier)
    };
    let count = |has: fn(&Round) -> (&Runs, &Runs)| {
        let helped = rounds.iter().map(has).filter(|(later, earlier)| has_help(later, earlier));
        helped.count()
    };
    Beside {
        speaking: count(|round| (&round.spoken, &round.before)),
        silent: count(|round| (&round.silent, &round.spoken)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(times: &[u64]) -> Runs {
        let threads = (0..).zip(times).map(|(tid, times)| ((1, tid), *times)).collect();
        Runs { threads, ..Runs::default() }
    }

    /// Makes rounds from how often each thread runs while a peer speaks and while it is silent.
    #[track_caller]
    fn check(rounds: &[(&[u64], &[u64])], speaking: usize, silent: usize) {
        let mut so_far = vec![0; rounds[0].0.len()];
        let mut add = |more: &[u64]| {
            so_far.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            runs(&so_far)
        };
        let mut made = Vec::new();
        for (spoken, quiet) in rounds {
            let before = add(&[]);
            made.push(Round { before, spoken: add(spoken), silent: add(quiet) });
        }
        assert_eq!(beside_the_first(&made), Beside { speaking, silent });
    }

    #[test]
    fn one_thread_works_alone_whichever_it_is() {
        check(&[(&[0, 1], &[0, 0]), (&[0, 2], &[0, 0])], 0, 0);
    }

    #[test]
    fn a_thread_that_works_all_the_time_shows_in_silence_too() {
        check(&[(&[1, 4], &[0, 3]), (&[1, 3], &[0, 3])], 2, 0);
        check(&[(&[4, 1], &[0, 3]), (&[3, 0], &[0, 3]), (&[1, 1], &[0, 1])], 2, 3);
    }

    #[test]
    fn threads_of_a_pool_take_turns() {
        check(&[(&[1, 1, 0], &[0, 0, 0]), (&[1, 0, 1], &[0, 0, 0])], 2, 0);
    }

    #[test]
    fn threads_that_have_ended_count() {
        let before = runs(&[1]);
        let spoken = Runs { ended: Duration::from_micros(40), ..runs(&[2]) };
        let silent = spoken.clone();
        assert_eq!(
            beside_the_first(&[Round { before, spoken, silent }]),
            Beside { speaking: 1, silent: 0 }
        );
    }

    #[test]
    fn a_thread_more_for_each_connection_is_too_many() {
        let tasks = |threads| TaskCounts { processes: 1, threads };
        assert!(does_not_grow(tasks(11), tasks(14), 18, "").is_ok());
        assert!(does_not_grow(tasks(3), tasks(21), 18, "").is_err());
        assert!(does_not_grow(tasks(1), tasks(2), 18, "").is_err());
    }
}
