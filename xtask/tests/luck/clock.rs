//! A time of day that jumps.

use std::process::Command;

use crate::{Comes, Place, attempts, support};

#[test]
fn the_clock_jumps_by_an_hour() {
    if !support::has("cc") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("clock.so");
    let source = support::root().join("xtask/tests/luck/clock.c");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source);
    assert!(cc.status().unwrap().success());
    for attempt in attempts("the_clock_jumps_by_an_hour") {
        let place = Place::new();
        let mut grading = place.grading("");
        grading.env("LD_PRELOAD", &library);
        grading.env("JUMP_BY", ["3600", "-3600"][attempt as usize % 2]);
        grading.env("JUMP_AFTER", (attempt * 97 % 1000).to_string());
        place.check(&grading.output().unwrap(), Comes::FullMarks);
    }
}
