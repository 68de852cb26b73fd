//! Disks without room, and disks that cannot be written.

use std::fs;
use std::process::Command;

use crate::{Comes, Place, attempts, with_mounts};

/// Returns the grading by a copy of the grader, whose target folder is its own.
fn with_own_target(place: &Place, grading: &Command) -> Command {
    let copy = place.path("target/debug/xtask");
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::copy(grading.get_program(), &copy).unwrap();
    let mut with = Command::new(copy);
    with.args(grading.get_args());
    crate::copy_surroundings(grading, &mut with);
    with
}

#[test]
fn a_full_target_folder() {
    for attempt in attempts("a_full_target_folder") {
        let place = Place::new();
        let grading = with_own_target(&place, &place.grading(""));
        let target = place.path("target").display().to_string();
        let kibibytes = [4, 256, 1024, 4096][attempt as usize % 4];
        let size = fs::metadata(grading.get_program()).unwrap().len() / 1024 + 64 + kibibytes;
        let script = format!(
            "mv {target} {target}.old; mkdir {target}; mount -t tmpfs -o size={size}k none {target}
             mv {target}.old/* {target}"
        );
        let Some(mut grading) = with_mounts(&script, &grading) else { return };
        place.check(&grading.output().unwrap(), Comes::Fault("free some space there"));
    }
}

#[test]
fn a_read_only_target_folder() {
    for _ in attempts("a_read_only_target_folder") {
        let place = Place::new();
        let grading = with_own_target(&place, &place.grading(""));
        let target = place.path("target").display().to_string();
        let script = format!("mount --bind {target} {target}; mount -o remount,bind,ro {target}");
        let Some(mut grading) = with_mounts(&script, &grading) else { return };
        place.check(&grading.output().unwrap(), Comes::Fault("it must be writable"));
    }
}

#[test]
fn a_full_temporary_folder() {
    for attempt in attempts("a_full_temporary_folder") {
        let place = Place::new();
        let confine = ["landlock", "off"][attempt as usize % 2];
        let grading = place.grading(&format!("--confine {confine}"));
        let tmp = place.path("tmp").display().to_string();
        let script = format!("mount -t tmpfs -o size=64k none {tmp}");
        let Some(mut grading) = with_mounts(&script, &grading) else { return };
        place.check(&grading.output().unwrap(), Comes::Fault("set TMPDIR to another"));
    }
}

#[test]
fn no_temporary_folder() {
    for _ in attempts("no_temporary_folder") {
        let place = Place::new();
        let mut grading = place.grading("");
        let output = grading.env("TMPDIR", "/nowhere").output().unwrap();
        place.check(&output, Comes::Fault("set TMPDIR to another"));
    }
}

#[test]
fn a_temporary_folder_without_execution() {
    for _ in attempts("a_temporary_folder_without_execution") {
        let place = Place::new();
        let tmp = place.path("tmp").display().to_string();
        let script = format!("mount -t tmpfs -o noexec none {tmp}");
        let grading = place.grading("--confine landlock");
        let Some(mut grading) = with_mounts(&script, &grading) else { return };
        place.check(&grading.output().unwrap(), Comes::Fault("mounted noexec: set TMPDIR"));
    }
}

/// The verdict is on stdout, and the earlier report stays.
#[test]
fn a_full_folder_of_reports() {
    for _ in attempts("a_full_folder_of_reports") {
        let place = Place::new();
        let folder = place.path("reports").display().to_string();
        fs::create_dir(&folder).unwrap();
        let mut grading = place.grading("");
        grading.arg("--report").arg(format!("html={folder}/report.html"));
        let script = format!(
            "mount -t tmpfs -o size=8k none {folder}; echo earlier >{folder}/report.html
             trap 'status=$?; cat {folder}/*; ls -A {folder}; exit $status' EXIT
             \"$@\"; exit"
        );
        let Some(mut grading) = with_mounts(&script, &grading) else { return };
        let output = grading.output().unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(3), "{stdout}{stderr}");
        let told = stdout.contains("2 passed") && stderr.contains("free some space there");
        assert!(told, "{stdout}{stderr}");
        assert!(stdout.ends_with("\nearlier\nreport.html\n"), "{stdout}");
        place.check_that_nothing_is_left();
    }
}

/// An earlier release is still there.
#[test]
fn a_release_onto_a_full_disk() {
    if !crate::support::root().join(".git").exists() {
        println!("skipped: this is no checkout");
        return;
    }
    for _ in attempts("a_release_onto_a_full_disk") {
        let place = Place::new();
        let to = place.path("released").display().to_string();
        fs::create_dir(&to).unwrap();
        let script = format!(
            "mount -t tmpfs -o size=300k none {to}; echo earlier >{to}/README.md
             trap 'status=$?; cat {to}/*; ls -A {to}; exit $status' EXIT
             \"$@\"; exit"
        );
        let mut release = crate::support::process("release --replace");
        release.arg(&to);
        let Some(mut release) = with_mounts(&script, &release) else { return };
        let output = release.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(told.contains("free some space there"), "{told}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "earlier\nREADME.md\n");
    }
}

#[test]
fn a_read_only_repository() {
    for _ in attempts("a_read_only_repository") {
        let place = Place::new();
        let root = crate::support::root().join("practicals").display().to_string();
        let script = format!("mount --bind {root} {root}; mount -o remount,bind,ro {root}");
        let grading = place.grading("");
        let Some(mut grading) = with_mounts(&script, &grading) else { return };
        place.check(&grading.output().unwrap(), Comes::FullMarks);
    }
}
