//! `verify --soak N`: checks that right programs lose no point on a busy machine.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::bail;

use super::verify::ground::Ground;
use super::verify::words::lost_points;
use crate::grade::Grading;
use crate::parallel;
use crate::terminal::{self, Progress};

/// The busy loops that run beside the gradings.
const LOOPS: usize = 4;

/// Grades each right program `times` times and returns what was lost.
pub(crate) fn run(ground: &Ground<'_>, times: usize) -> anyhow::Result<Vec<String>> {
    if ground.right_programs().is_empty() {
        bail!(
            "--soak grades right programs, and none is chosen: what was not graded does not hold"
        );
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let spin = || {
            while !stop.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        };
        let spinning = (0..LOOPS).try_for_each(|_| parallel::spawn(scope, spin));
        let lost = spinning.map_err(Into::into).and_then(|()| gradings(ground, times));
        stop.store(true, Ordering::Relaxed);
        lost
    })
}

fn gradings(ground: &Ground<'_>, times: usize) -> anyhow::Result<Vec<String>> {
    let mut lost = Vec::new();
    let progress = Progress::new();
    for (name, program) in ground.right_programs() {
        let began = Instant::now();
        progress.grading(&name, times);
        let bad = soak(ground, &name, program.as_deref(), times, &progress)?;
        progress.clear();
        let each = began.elapsed().as_secs_f64() / times as f64;
        terminal::say_line(format_args!(
            "{name:<32} {times} gradings, {} of them lost points, {each:.2} s each",
            bad.len()
        ));
        lost.extend(bad.concat());
    }
    Ok(lost)
}

/// Returns, for each grading that lost a point, what it lost.
fn soak(
    ground: &Ground<'_>,
    name: &str,
    program: Option<&str>,
    times: usize,
    progress: &Progress,
) -> anyhow::Result<Vec<Vec<String>>> {
    let mut bad = Vec::new();
    let grade = |(): &()| ground.grade(program.map(|program| (program, name)));
    parallel::in_order(&vec![(); times], ground.jobs(), grade, |(), grading| {
        let full = grading.outcome.as_ref().is_ok_and(|grade| grade.points.lost() == 0);
        if !full {
            progress.clear();
            bad.push(lost(name, &grading));
        }
        progress.graded();
        Ok(())
    })?;
    Ok(bad)
}

/// Prints what a grading lost, at once, because a soak takes hours and may be stopped.
fn lost(name: &str, grading: &Grading) -> Vec<String> {
    let lost = lost_points(name, "", grading);
    lost.iter().for_each(|line| terminal::say_line(format_args!("       {line}")));
    lost
}
