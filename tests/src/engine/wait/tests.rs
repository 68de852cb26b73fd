//! Waits for nothing, and for something.

use super::*;
use crate::engine::budget::Budget;
use crate::engine::payload::{Payloads, Shared};
use crate::engine::place::Place;
use crate::sandbox::Confinement;

fn context() -> Context {
    let nowhere = std::path::Path::new("");
    let place = Place::new(nowhere, nowhere, &Confinement::off()).unwrap();
    let payloads = Payloads::new(1, "a_check", &Shared::default());
    Context::new(place, payloads, Budget::begin(Budget::USUAL))
}

const SHORT: Deadline = Deadline { waiting: Duration::from_millis(30), ..REPLY };

#[test]
fn a_wait_for_nothing_ends_after_its_limit() {
    let began = Instant::now();
    let outcome: Result<(), _> = wait_for(Wait::new(&context(), SHORT, STUCK), |slice| {
        std::thread::sleep(slice);
        None
    });
    assert!(matches!(outcome, Err(Timeout { why: GaveUp::Waited(_), .. })));
    assert!(began.elapsed() >= SHORT.waiting);
}

#[test]
fn what_comes_with_the_last_look_counts() {
    let outcome = wait_for(Wait::new(&context(), SHORT, STUCK), |slice| {
        std::thread::sleep(slice);
        (slice == Duration::ZERO).then_some("came")
    });
    assert_eq!(outcome, Ok("came"));
}

#[test]
fn progress_begins_the_wait_anew() {
    let context = context();
    let mut wait = Wait::new(&context, SHORT, STUCK);
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(10));
        assert_eq!(wait.gives_up(), None);
        wait.progress(1 << 20);
    }
}

#[test]
fn a_trickle_is_not_progress_for_ever() {
    let context = context();
    let mut wait = Wait::new(&context, SHORT, STUCK);
    let gave_up = (0..1000).find_map(|_| {
        std::thread::sleep(wait.slice());
        let gave_up = wait.gives_up();
        wait.progress(1);
        gave_up
    });
    assert!(gave_up.is_some());
}
