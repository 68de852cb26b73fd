//! `verify --soak N`: right programs lose no point on a busy machine, however often they are graded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::verify::{Ground, lost_points};

/// Busy loops beside the gradings.
const LOOPS: usize = 4;

/// Grades each right program so many times; what was lost.
pub(crate) fn run(ground: &Ground<'_>, times: usize) -> anyhow::Result<Vec<String>> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..LOOPS {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let lost = gradings(ground, times);
        stop.store(true, Ordering::Relaxed);
        lost
    })
}

fn gradings(ground: &Ground<'_>, times: usize) -> anyhow::Result<Vec<String>> {
    let mut lost = Vec::new();
    for (name, program) in ground.right_programs() {
        let began = Instant::now();
        let mut bad = 0;
        for _ in 0..times {
            let grade = ground.grade(program.as_deref().map(|program| (program, name.as_str())))?;
            if grade.score() < grade.max_score() || grade.has_faults() {
                bad += 1;
                lost.extend(lost_points(&name, "", &grade));
            }
        }
        let each = began.elapsed().as_secs_f64() / times as f64;
        anstream::println!("{name:<32} {times} gradings, {bad} with a point lost, {each:.2} s each");
    }
    Ok(lost)
}
